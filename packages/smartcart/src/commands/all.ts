import type { AddCommand } from "../cli/command.ts";
import { addCatalogue } from "./catalogue.ts";
import { addCerts } from "./certs.ts";
import { addDb } from "./db.ts";
import { addDlq } from "./dlq.ts";
import { addDoctor } from "./doctor.ts";
import { addMesh } from "./mesh.ts";
import { addRoles } from "./roles.ts";
import { addSettings } from "./settings.ts";
import { addUp } from "./up.ts";
import { addUser } from "./user.ts";
import { addWeb } from "./web.ts";

/** Every command, in the order in which the help lists them. `cli/command.ts` says how to add one. */
export const commands: readonly AddCommand[] = [
  addUp,
  addWeb,
  addCatalogue,
  addDoctor,
  addDlq,
  addUser,
  addDb,
  addMesh,
  addSettings,
  addCerts,
  addRoles,
];
