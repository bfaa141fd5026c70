// Calls a local gRPC server whose attempts take so long and end so through a real channel with a hedging policy, and writes when the
// channel sent what. Times are in tenths of a second: everything in a schedule is a multiple of two of them.
//
// Each line is a call: the delay of its copies, the most attempts, what attempt by attempt takes and comes to (O ok, U unavailable,
// which is not fatal, I an invalid argument, which is), then when each attempt arrived, when the call ended, and how.
import { createRequire } from "node:module";
const grpc = createRequire(process.env.NODE_PATH + "/")("@grpc/grpc-js");

const CALLS = [
    // [after, attempts, scripts]
    [4, 2, "2O 2O"],
    [4, 2, "10O 2O"],
    [4, 2, "10O 10O"],
    [4, 3, "20O 20O 2O"],
    [4, 3, "20O 12O 20O"],
    [4, 3, "2U 2O 2O"],
    [4, 3, "2U 2U 2O"],
    [4, 3, "2U 2U 2U"],
    [4, 3, "6U 20O 2O"],
    [4, 3, "10U 6U 2O"],
    [4, 3, "10O 2I 2O"],
    [4, 3, "2I 2O 2O"],
    [4, 4, "20O 20O 20O 20O"],
    [0, 3, "6O 4O 2O"],
    [0, 3, "2U 2U 6O"],
    [0, 2, "2I 6O"],
    [6, 2, "10U 2U"],
    [4, 4, "2U 20O 20O 2O"],
    [4, 4, "10U 10U 10U 10U"],
    [6, 5, "14O 14O 14O 14O 14O"],
];

const raw = (buffer) => buffer;
const service = {
    call: {
        path: "/a.Service/Call", requestStream: false, responseStream: false,
        requestSerialize: raw, requestDeserialize: raw, responseSerialize: raw, responseDeserialize: raw,
    },
};
const tenths = (since) => 2 * Math.round((performance.now() - since) / 200);

async function one([after, attempts, script]) {
    const arrived = [];
    let began = performance.now();
    const server = new grpc.Server();
    const parts = script.split(" ").map((part) => [Number(part.slice(0, -1)), part.at(-1)]);
    server.addService(service, {
        call(call, answer) {
            const [takes, ends] = parts[arrived.length];
            arrived.push(tenths(began));
            const code = { U: grpc.status.UNAVAILABLE, I: grpc.status.INVALID_ARGUMENT }[ends];
            setTimeout(() => answer(code === undefined ? null : { code, details: "so it is" }, Buffer.alloc(0)), takes * 100);
        },
    });
    const port = await new Promise((done) =>
        server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (_, port) => done(port)));
    const config = {
        methodConfig: [{
            name: [{}],
            hedgingPolicy: { maxAttempts: attempts, hedgingDelay: `${after / 10}s`, nonFatalStatusCodes: ["UNAVAILABLE"] },
        }],
    };
    const client = new (grpc.makeGenericClientConstructor(service, "a.Service"))(
        `127.0.0.1:${port}`, grpc.credentials.createInsecure(), { "grpc.service_config": JSON.stringify(config) });
    // The connection is there before the clock runs.
    await new Promise((done) => client.waitForReady(Date.now() + 5000, done));
    began = performance.now();
    const [ended, how] = await new Promise((done) =>
        client.call(Buffer.alloc(0), (error) => done([tenths(began), error ? "failed" : "ok"])));
    // Nothing is sent any more.
    await new Promise((done) => setTimeout(done, 500));
    client.close();
    server.forceShutdown();
    return `${after} ${attempts} ${script.replaceAll(" ", ",")} ${arrived} ${ended} ${how}`;
}

console.log("# What a gRPC channel (grpc-js, hedgingPolicy with UNAVAILABLE not fatal) made of calls whose attempts take so long and end so, in 0.1 s.");
console.log("# delay of copies, attempts at most, each attempt's time and end, when each arrived, when the call ended, how");
for (const line of await Promise.all(CALLS.map(one))) console.log(line);
