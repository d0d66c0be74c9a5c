// Settings of a Node-RED whose flows run for verified deliveries alone. It listens on loopback,
// and no request reaches an HTTP In node without an assertion that hooknotary made for exactly
// this body, less than a minute ago, and that was not used before.
const crypto = require("crypto");
const fs = require("fs");
const path = require("path");

const issuer = "https://hooks.example.com"; // assertion.issuer of hooknotary.yaml
const audience = "node-red"; // assert.audience of the route
const keyFile = path.join(__dirname, "jwks.json"); // hooknotary assert jwks

const used = new Map(); // ids of assertions, each with the time at which it expires

// read returns the object in a part of a token.
function read(part) {
    try {
        return JSON.parse(Buffer.from(part, "base64url")) || {};
    } catch {
        throw new Error("the assertion is no token");
    }
}

// verify returns the claims of the request's assertion, or throws what is wrong with it.
function verify(req) {
    const token = req.headers["hooknotary-assertion"] || "";
    const [head, claimed, signature, ...rest] = token.split(".");
    if (!signature || rest.length > 0) throw new Error("there is no assertion");
    const { alg, kid, typ } = read(head);
    if (alg !== "ES256" || typ !== "hooknotary+jwt") throw new Error("the assertion is of another kind");

    // Read each time: a new key is known as soon as the file has it.
    const jwk = JSON.parse(fs.readFileSync(keyFile)).keys.find((k) => k.kid === kid && k.kty === "EC" && k.crv === "P-256");
    if (!jwk) throw new Error("the key of the assertion is unknown");
    const key = { key: crypto.createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
    if (!crypto.verify("sha256", Buffer.from(`${head}.${claimed}`), key, Buffer.from(signature, "base64url"))) {
        throw new Error("the assertion is forged");
    }

    const claims = read(claimed);
    const now = Date.now() / 1000;
    if (claims.iss !== issuer || claims.aud !== audience) throw new Error("the assertion is for another receiver");
    if (!(claims.iat <= now && now < claims.exp)) throw new Error("the assertion is of another time");
    if (!Buffer.isBuffer(req.body)) throw new Error("the HTTP In node parses the body: tick 'Do not parse request body'");
    if (claims.body_sha256 !== crypto.createHash("sha256").update(req.body).digest("base64url")) {
        throw new Error("the assertion is for another body");
    }

    for (const [id, expires] of used) if (expires <= now) used.delete(id);
    if (used.has(claims.jti)) throw new Error("the assertion was used before");
    used.set(claims.jti, claims.exp);
    return claims;
}

module.exports = {
    uiHost: "127.0.0.1",
    uiPort: process.env.PORT || 1880,
    flowFile: path.join(__dirname, "flows.json"),
    disableEditor: true, // if you edit flows here, set adminAuth first
    telemetry: { enabled: false },
    credentialSecret: false, // these flows have no credentials; yours: a secret of your own
    httpNodeMiddleware(req, res, next) {
        try {
            req.verified = verify(req); // in a function node: msg.req.verified
        } catch (err) {
            console.error(`refused: ${err.message}`);
            return res.status(401).end();
        }
        next();
    },
};
