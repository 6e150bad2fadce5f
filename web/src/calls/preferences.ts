// What this browser remembers of calls: devices, and how much the others may learn and the network has to carry. Nothing is kept until
// somebody chooses.

export interface Preferences {
  /** Device ids; absent: the system's own choice. */
  microphone?: string;
  camera?: string;
  /** Media go through the server's relay only, so that the others don't learn this device's address. */
  relayOnly: boolean;
  /** Small pictures at a low rate. */
  saveData: boolean;
  /** Without sound it only shows. */
  sound: boolean;
}

const KEY = "secureconnect.calls";
const DEFAULTS: Preferences = { relayOnly: false, saveData: false, sound: true };

export function preferences(): Preferences {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>) };
  } catch {
    // Where a browser keeps nothing, or something else is kept there.
    return DEFAULTS;
  }
}

export function prefer(change: Partial<Preferences>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...preferences(), ...change }));
  } catch {
    // It holds for nothing but this moment then.
  }
}
