import { Code } from "@connectrpc/connect";
import { DomainError } from "../errors/errors.ts";

/** Something that can be broken on purpose in demo mode. Off when the process starts. */
export interface FaultSwitch {
  /** Unique within the service: "decline". */
  readonly name: string;
  /** What it does, for people, in a few words. */
  readonly title: string;
  /** 1 for one that is on or off; more for a slider. */
  readonly max: number;
  /** Unit of the value: "ms"; empty for one that is on or off. */
  readonly unit: string;
  /** 0 is off. */
  value(): number;
  /** Resolves when it is so. */
  turn(value: number): Promise<void>;
}

/** What a switch is made of. */
export interface FaultSwitchOptions {
  readonly name: string;
  readonly title: string;
  /** Default 1. */
  readonly max?: number;
  /** Default: none. */
  readonly unit?: string;
  /** Puts the new value into effect. Where it throws, the switch keeps its value. */
  readonly onTurn?: (value: number) => void | Promise<void>;
}

/** A switch that is off. Turns are carried out one after the other. */
export function createFaultSwitch({
  name,
  title,
  max = 1,
  unit = "",
  onTurn,
}: FaultSwitchOptions): FaultSwitch {
  let current = 0;
  let turning: Promise<void> = Promise.resolve();
  const turn = async (value: number) => {
    if (value !== current) {
      await onTurn?.(value);
    }
    current = value;
  };
  return {
    name,
    title,
    max,
    unit,
    value: () => current,
    turn(value) {
      const turned = turning.then(() => turn(value));
      turning = turned.catch(() => {});
      return turned;
    },
  };
}

/** Sets the switch of that name. `faultSwitches` is undefined outside of demo mode. */
export async function setInstanceFaultSwitch(
  faultSwitches: readonly FaultSwitch[] | undefined,
  service: string,
  { name, value }: { readonly name: string; readonly value: bigint },
): Promise<FaultSwitch> {
  if (faultSwitches === undefined) {
    throw demoOff(service);
  }
  const wanted = faultSwitches.find((one) => one.name === name);
  if (wanted === undefined) {
    throw switchNotFound(service, name);
  }
  if (value > BigInt(wanted.max)) {
    throw outOfRange(service, wanted);
  }
  await wanted.turn(Number(value));
  return wanted;
}

/** Nothing can be broken here. */
function demoOff(service: string): DomainError {
  return new DomainError({
    code: "DEMO_OFF",
    rpcCode: Code.FailedPrecondition,
    title: "Demo mode is off",
    message: `${service} is not in demo mode. Set SMARTCART_DEMO=1 to enable fault switches.`,
  });
}

/** The service does not have it. */
export function switchNotFound(service: string, name: string): DomainError {
  return new DomainError({
    code: "SWITCH_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "There is no such switch",
    message: `${service} has no switch "${name}".`,
  });
}

function outOfRange(service: string, { name, max }: FaultSwitch): DomainError {
  return new DomainError({
    code: "SWITCH_OUT_OF_RANGE",
    rpcCode: Code.InvalidArgument,
    title: "The switch does not go that far",
    message: `The value of switch "${name}" of ${service} must be from 0 to ${max}.`,
  });
}
