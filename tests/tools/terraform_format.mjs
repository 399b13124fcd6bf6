// Checks that Terraform files are formatted as `terraform fmt` does: `terraform_format.mjs <folder>…`. Terraform itself is not needed.
// With --write it formats them.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// The tools are installed in .local, which is not above this file.
const { format } = createRequire(join(process.cwd(), ".local/"))("@cdktf/hcl-tools");

const [write, folders] = process.argv[2] === "--write" ? [true, process.argv.slice(3)] : [false, process.argv.slice(2)];
const files = folders.flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name)));
const terraform = files.filter((file) => file.endsWith(".tf"));

let differ = 0;
for (const file of terraform) {
  const text = readFileSync(file, "utf8");
  const formatted = await format(text);
  if (formatted === text) continue;
  differ += 1;
  if (write) writeFileSync(file, formatted);
  else console.error(`${file} is not formatted: node tests/tools/terraform_format.mjs --write ${folders.join(" ")}`);
}
console.log(`${terraform.length} Terraform files, ${differ} ${write ? "formatted" : "not formatted"}`);
process.exit(terraform.length === 0 || (differ > 0 && !write) ? 1 : 0);
