/**
 * Columns of contracts 1 to 7 as the specification lists them (CON-3, CON-5, CON-7, CON-16, CON-22,
 * CON-27, CON-31, CON-33, CON-38), copied from its text and from nothing else. The sensors are those
 * of refrigeration.
 */
const tables: Readonly<Record<string, string>> = {
  raw_sensor_readings: `
    event_id string not-null
    device_id string not-null
    timestamp_device timestamp not-null
    timestamp_ingested timestamp not-null
    temperature_evaporator double nullable
    temperature_condenser double nullable
    temperature_ambient double nullable
    temperature_discharge double nullable
    temperature_suction double nullable
    pressure_high_side double nullable
    pressure_low_side double nullable
    current_compressor double nullable
    vibration_compressor double nullable
    humidity double nullable
    door_open_close boolean nullable
    defrost_cycle boolean nullable
    superheat double nullable
    subcooling double nullable
    _partition_key string not-null
    _sequence_number long not-null
    timestamp_available timestamp nullable extension
    timestamp_device_raw string nullable extension
    sent_at timestamp nullable extension
    schema_version string nullable extension
    unmapped_fields string nullable extension
    message_format string nullable extension
    device_quality string nullable extension
    _partition_id integer nullable extension
    _log_generation integer nullable extension
    ingest_date string not-null
    ingest_hour integer not-null
  `,
  clean_sensor_readings: `
    event_id string not-null
    device_id string not-null
    timestamp_utc timestamp not-null
    temperature_evaporator double nullable
    temperature_condenser double nullable
    temperature_ambient double nullable
    temperature_discharge double nullable
    temperature_suction double nullable
    pressure_high_side double nullable
    pressure_low_side double nullable
    current_compressor double nullable
    vibration_compressor double nullable
    humidity double nullable
    door_open_close boolean nullable
    defrost_cycle boolean nullable
    superheat double nullable
    subcooling double nullable
    quality_flags array<string> not-null
    sensor_null_count integer not-null
    timestamp_ingested timestamp not-null extension
    timestamp_available timestamp nullable extension
    range_violation_sensors array<string> nullable extension
    merged_event_ids array<string> nullable extension
    date string not-null
  `,
  device_features: `
    device_id string not-null
    window_start timestamp not-null
    window_end timestamp not-null
    window_duration_minutes integer not-null
    reading_count integer not-null
    temp_evaporator_mean double nullable
    temp_evaporator_std double nullable
    temp_evaporator_min double nullable
    temp_evaporator_max double nullable
    temp_evaporator_slope double nullable
    temp_condenser_mean double nullable
    temp_condenser_std double nullable
    temp_condenser_min double nullable
    temp_condenser_max double nullable
    temp_condenser_slope double nullable
    temp_ambient_mean double nullable
    temp_ambient_std double nullable
    temp_discharge_mean double nullable
    temp_discharge_std double nullable
    temp_discharge_max double nullable
    temp_suction_mean double nullable
    temp_suction_std double nullable
    pressure_high_mean double nullable
    pressure_high_std double nullable
    pressure_high_max double nullable
    pressure_low_mean double nullable
    pressure_low_std double nullable
    pressure_low_min double nullable
    pressure_ratio double nullable
    current_compressor_mean double nullable
    current_compressor_std double nullable
    current_compressor_max double nullable
    vibration_compressor_mean double nullable
    vibration_compressor_std double nullable
    vibration_compressor_max double nullable
    vibration_compressor_p95 double nullable
    humidity_mean double nullable
    humidity_std double nullable
    door_open_fraction double nullable
    defrost_active_fraction double nullable
    superheat_mean double nullable
    superheat_std double nullable
    subcooling_mean double nullable
    subcooling_std double nullable
    temp_spread_evap_cond double nullable
    temp_spread_discharge_suction double nullable
    current_per_temp_spread double nullable
    sensor_completeness double not-null
    quality_flag_count integer not-null
    computed_at timestamp nullable extension
    feature_version string nullable extension
    clean_snapshot_id string nullable extension
    operating_mode string nullable extension
    is_final boolean nullable extension
    late_created boolean nullable extension
    post_maintenance boolean nullable extension
    outlier_features array<string> nullable extension
  `,
  training_data: `
    device_id string not-null
    window_start timestamp not-null
    window_end timestamp not-null
    window_duration_minutes integer not-null
    feature_vector array<double> not-null
    feature_names array<string> not-null
    label string nullable
    label_source string nullable
    label_timestamp timestamp nullable
    label_delay_buffer_hours integer not-null
    snapshot_id string not-null
    sensor_completeness double not-null
    assembled_at timestamp not-null
    label_snapshot_id string nullable extension
    label_confidence double nullable extension
  `,
  model_input: `
    device_id string not-null
    window_start timestamp not-null
    window_end timestamp not-null
    model_id string not-null
    granularity string not-null
    feature_vector array<double> not-null
    feature_names array<string> not-null
    sensor_completeness double not-null
    window_duration_minutes integer nullable extension
    model_version string nullable extension
    cohort_id string nullable extension
    imputed_features array<string> nullable extension
  `,
  model_scores: `
    score_id string not-null
    device_id string not-null
    window_start timestamp not-null
    window_end timestamp not-null
    window_duration_minutes integer not-null extension
    model_id string not-null
    model_version string not-null
    deployment_role string not-null extension
    granularity string not-null
    cohort_id string nullable extension
    anomaly_score double not-null
    anomaly_flag boolean not-null
    threshold_used double not-null
    top_contributors array<string> nullable
    contributor_scores array<double> nullable
    contributor_directions array<string> nullable extension
    shap_values map<string,double> nullable extension
    scored_at timestamp not-null
    sensor_completeness double not-null
    alert_eligible boolean not-null extension
    data_quality boolean not-null extension
    run_id string not-null extension
    confidence string not-null extension
    raw_score double nullable extension
    component_scores map<string,double> nullable extension
  `,
  device_alerts: `
    alert_id string not-null
    device_id string not-null
    site_id string not-null
    alert_type string not-null
    severity string not-null
    title string not-null
    description string not-null
    model_id string not-null
    anomaly_score double nullable
    top_contributors array<string> nullable
    first_detected_at timestamp not-null
    alert_created_at timestamp not-null
    suppressed boolean not-null
    ontology_action_id string nullable
    status string not-null
    resolved_at timestamp nullable
    escalation_level string not-null
    sla_deadline timestamp not-null
    sla_breached boolean not-null
  `,
  label_events: `
    device_id string not-null
    event_timestamp timestamp not-null
    label_type string not-null
    label_source string not-null
    label_confidence double not-null
    labeled_at timestamp not-null
    alert_id string nullable
    failure_mode string nullable
    notes string nullable
    label_id string nullable extension
    supersedes_label_id string nullable extension
  `,
}

/** A column as the specification lists it. */
type SpecifiedColumn = {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
  readonly extension: boolean
}

/** Columns of a table that the specification lists, or undefined for a table it does not number. */
export function specifiedColumns(table: string): readonly SpecifiedColumn[] | undefined {
  return tables[table]
    ?.trim()
    .split('\n')
    .map((line) => {
      const [name = '', type = '', nulls = '', extension] = line.trim().split(' ')
      const isExtension = extension === 'extension'
      return { name, type, nullable: nulls === 'nullable', extension: isExtension }
    })
}
