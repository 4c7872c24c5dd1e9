/** Whether there is a process with that id, whoever it belongs to. */
export function processExists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // The process of another user exists as well.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
