import type { Hint } from 'isotherm/contracts'

/**
 * What an unusual feature usually means and what to check first, for the technician on site.
 * Sources: FEA-21 and the failure signatures of MON-64.
 */
export const hints: readonly Hint[] = [
  ...cooling(),
  ...circuit(),
  ...compressor(),
  ...charge(),
  ...surroundings(),
]

function cooling(): readonly Hint[] {
  return [
    {
      feature: 'temp_evaporator_mean',
      direction: 'high',
      text: 'The coil is warmer than usual: ice on the coil, a stopped fan, low refrigerant or a weak compressor. Check the coil for ice and the fans first.',
    },
    {
      feature: 'temp_evaporator_mean',
      direction: 'low',
      text: 'The coil is colder than usual: little air over it, or the expansion valve starves it. Check fans, ice and the valve.',
    },
    {
      feature: 'temp_evaporator_slope',
      direction: 'high',
      text: 'The unit is warming up. Check that the compressor runs and that the door is shut.',
    },
    {
      feature: 'temp_evaporator_max',
      direction: 'high',
      text: 'The coil got unusually warm for a while: a long defrost, an open door or lost cooling. Check when defrost ended and whether the door closes.',
    },
    {
      feature: 'temp_evaporator_std',
      direction: 'low',
      text: 'The reading hardly moves. The sensor may be stuck: compare it with a hand thermometer.',
    },
    {
      feature: 'temp_evaporator_std',
      direction: 'high',
      text: 'The coil temperature swings more than usual: short compressor cycles, a hunting valve or many door openings.',
    },
    {
      feature: 'temp_spread_evap_cond',
      direction: 'low',
      text: 'Less difference between warm and cold side: the unit moves less heat. Check that the compressor runs, then its valves and the charge.',
    },
    {
      feature: 'temp_suction_mean',
      direction: 'high',
      text: 'The suction line is warm: low charge or little refrigerant through the valve. Check superheat.',
    },
  ]
}

function circuit(): readonly Hint[] {
  return [
    {
      feature: 'temp_condenser_mean',
      direction: 'high',
      text: 'The condenser gets rid of too little heat. Clean its fins and check the fan and the air around it.',
    },
    {
      feature: 'pressure_high_mean',
      direction: 'high',
      text: 'High-side pressure is up: a dirty condenser, a stopped condenser fan, or too much refrigerant. Clean the condenser first.',
    },
    {
      feature: 'pressure_low_mean',
      direction: 'low',
      text: 'Low-side pressure is down: refrigerant may be leaking, or the coil is blocked. Look for oil traces and test for leaks.',
    },
    {
      feature: 'pressure_low_min',
      direction: 'low',
      text: 'Low-side pressure dips deeper than usual, often the first sign of a leak. Test for leaks and check subcooling.',
    },
    {
      feature: 'pressure_low_mean',
      direction: 'high',
      text: 'Low-side pressure is up: the compressor stands still or its valves leak, or the expansion valve is stuck open.',
    },
    {
      feature: 'pressure_ratio',
      direction: 'high',
      text: 'The compressor works against more pressure: a blocked condenser if sudden, wear or a leak if slow.',
    },
    {
      feature: 'pressure_ratio',
      direction: 'low',
      text: 'The compressor builds up too little pressure: leaking valves, an expansion valve stuck open, or it stands still.',
    },
    {
      feature: 'temp_discharge_max',
      direction: 'high',
      text: 'The compressor runs hot; above 120 °C its oil breaks down. Check condenser airflow and charge at once.',
    },
    {
      feature: 'temp_discharge_mean',
      direction: 'high',
      text: 'The discharge line is hot: a dirty condenser, low charge or a worn compressor.',
    },
    {
      feature: 'temp_discharge_mean',
      direction: 'low',
      text: 'The discharge line is cool: liquid refrigerant may reach the compressor, or it hardly runs. Check superheat first.',
    },
  ]
}

function compressor(): readonly Hint[] {
  return [
    {
      feature: 'current_compressor_mean',
      direction: 'high',
      text: 'The compressor draws more current or runs longer: worn bearings, high pressure or low voltage. Measure the current and listen for noise.',
    },
    {
      feature: 'current_compressor_mean',
      direction: 'low',
      text: 'The compressor hardly runs or does little work. Check its supply, overload switch and the charge.',
    },
    {
      feature: 'current_compressor_max',
      direction: 'high',
      text: 'Current peaks are high: hard starts or a binding compressor. Check start capacitor and relay.',
    },
    {
      feature: 'current_compressor_std',
      direction: 'high',
      text: 'The compressor switches on and off more than usual. Check the thermostat, the pressure switch and the charge.',
    },
    {
      feature: 'vibration_compressor_p95',
      direction: 'high',
      text: 'The compressor vibrates more most of the time: worn bearings or loose mounts. Check the mounts, then plan the bearings.',
    },
    {
      feature: 'vibration_compressor_mean',
      direction: 'high',
      text: 'The compressor vibrates more than usual. Check mounts and pipes, and listen for bearing noise.',
    },
    {
      feature: 'vibration_compressor_max',
      direction: 'high',
      text: 'Single strong vibration peaks: a knock from outside, or a hard start. With a high 95th percentile it is mechanical.',
    },
    {
      feature: 'current_per_temp_spread',
      direction: 'high',
      text: 'More current for the same cooling: efficiency is falling. Clean the condenser, check charge and fans.',
    },
  ]
}

function charge(): readonly Hint[] {
  return [
    {
      feature: 'superheat_mean',
      direction: 'high',
      text: 'High superheat: the coil gets too little refrigerant. Above 15 K efficiency suffers. Check charge, filter drier and valve.',
    },
    {
      feature: 'superheat_mean',
      direction: 'low',
      text: 'Low superheat: below 3 K liquid can reach and break the compressor. Check the expansion valve, its bulb and the fans now.',
    },
    {
      feature: 'superheat_std',
      direction: 'high',
      text: 'Superheat swings: the expansion valve is hunting. Check its bulb, size and setting.',
    },
    {
      feature: 'subcooling_mean',
      direction: 'low',
      text: 'Low subcooling: below 3 K the charge is low. Test for leaks.',
    },
    {
      feature: 'subcooling_mean',
      direction: 'high',
      text: 'High subcooling: above 15 K there is too much refrigerant or the liquid line is blocked.',
    },
  ]
}

function surroundings(): readonly Hint[] {
  return [
    {
      feature: 'humidity_mean',
      direction: 'high',
      text: 'Damp air gets in. Check the door, its gasket and the drain.',
    },
    {
      feature: 'door_open_fraction',
      direction: 'high',
      text: 'The door stays open longer than usual. Check that it closes and tell the staff.',
    },
    {
      feature: 'defrost_active_fraction',
      direction: 'high',
      text: 'Defrost runs longer or more often: much ice, or it does not end. Check the heater, the end sensor and the door gasket.',
    },
    {
      feature: 'defrost_active_fraction',
      direction: 'low',
      text: 'The unit defrosts less than usual; if it never does, the defrost is broken. Check timer and heater.',
    },
    {
      feature: 'temp_ambient_mean',
      direction: 'high',
      text: 'It is warmer around the unit than usual. Check room ventilation before the unit itself.',
    },
    {
      feature: 'sensor_completeness',
      direction: 'low',
      text: 'Sensors are missing: check their plugs and cables. This says nothing about the machine.',
    },
    {
      feature: 'reading_count',
      direction: 'low',
      text: 'Messages are missing: check the network connection. This says nothing about the machine.',
    },
  ]
}
