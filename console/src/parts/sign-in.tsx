/** Asks for an API token; it stays in this tab. */
export function SignIn({ onToken }: { readonly onToken: (token: string) => void }) {
  return (
    <main class="sign-in">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault()
          const data = new FormData(event.currentTarget)
          onToken(String(data.get('token') ?? '').trim())
        }}
      >
        <h1>Isotherm</h1>
        <label class="field">
          <span>API token</span>
          <input type="password" name="token" autocomplete="current-password" required autofocus />
        </label>
        <p class="muted">
          Your administrator gives you one. It is kept in this tab only and forgotten when the tab
          closes.
        </p>
        <button type="submit" class="button primary">
          Sign in
        </button>
      </form>
    </main>
  )
}
