/**
 * Preloaded into each spawned service: it ends when the process that spawned it has ended, by whatever cause. A test runner that kills
 * a test leaves no process behind.
 */
process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
// The channel must not keep the service running by itself.
process.channel?.unref();
