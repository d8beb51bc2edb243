// PostGraphile 5 as its manual sets it up for production, over the plaintext rows of schema "bench": one process, no GraphiQL, no EXPLAIN,
// no LISTEN. Arguments: the database's connection string and the port.
import { createServer } from "node:http";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { postgraphile } from "postgraphile";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const [connectionString, port] = process.argv.slice(2);
const served = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString, schemas: ["bench"], pubsub: false })],
  grafserv: { graphiql: false, watch: false },
  grafast: { explain: false },
}).createServ(grafserv);

const server = createServer();
server.on("error", (problem) => {
  console.error(problem.code);
  process.exit(1);
});
await served.addTo(server);
server.listen(Number(port), "127.0.0.1");
