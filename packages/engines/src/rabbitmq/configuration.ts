import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** All on 127.0.0.1. */
export interface RabbitmqPorts {
  readonly amqp: number;
  readonly management: number;
  /** Of the Erlang distribution, which `rabbitmqctl` uses. */
  readonly distribution: number;
  /** Of the port mapper. */
  readonly epmd: number;
}

/** Writes `rabbitmq.conf` and the list of enabled plugins. */
export async function writeConfiguration(directory: string, ports: RabbitmqPorts): Promise<void> {
  const lines = [
    `listeners.tcp.1 = 127.0.0.1:${ports.amqp}`,
    "management.tcp.ip = 127.0.0.1",
    `management.tcp.port = ${ports.management}`,
    "disk_free_limit.absolute = 50MB",
    "log.file.level = warning",
  ];
  await writeFile(join(directory, "rabbitmq.conf"), `${lines.join("\n")}\n`);
  await writeFile(join(directory, "enabled_plugins"), "[rabbitmq_management].\n");
}

/** The environment of a node that shares nothing with other nodes of the machine. */
export function environment(directory: string, ports: RabbitmqPorts): Record<string, string> {
  return {
    // biome-ignore lint/style/noProcessEnv: where programs are is no configuration of ours
    PATH: `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`,
    LANG: "C.UTF-8",
    // The Erlang cookie is in the home folder.
    HOME: join(directory, "home"),
    // The name can be the same for all private nodes: each has a port mapper of its own.
    RABBITMQ_NODENAME: "smartcart@localhost",
    RABBITMQ_DIST_PORT: String(ports.distribution),
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_MNESIA_BASE: join(directory, "mnesia"),
    RABBITMQ_LOG_BASE: join(directory, "log"),
    RABBITMQ_CONFIG_FILE: join(directory, "rabbitmq.conf"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, "enabled_plugins"),
    RABBITMQ_PID_FILE: join(directory, "pid"),
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    // Without busy waiting an idle node costs next to no CPU.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none",
  };
}
