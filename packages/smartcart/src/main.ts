#!/usr/bin/env node
/** The command `smartcart`. */
import { runCommand } from "./cli.ts";

await runCommand(process.argv.slice(2), process.env);
