// kubernetes.js MODULES < MANIFEST.json: is it what the published schema of its kind allows?
//
// The schemas are those of the package kubernetes-models, made from Kubernetes' own OpenAPI. They
// let unknown fields pass, which an API server would not: these are refused here by asking which
// fields the schema's types declare. Says nothing and ends with 0, or says what is wrong and ends
// with 1; with 77 where the package is not there.
"use strict";
const fs = require("fs");
const path = require("path");

const modules = process.argv[2];
let Job, types;
try {
    const where = { paths: [modules] };
    Job = require(require.resolve("kubernetes-models/batch/v1/Job", where)).Job;
    types = path.dirname(require.resolve("kubernetes-models/package.json", where));
} catch (error) {
    console.log("no kubernetes-models in " + modules);
    process.exit(77);
}

// The fields that the interface of a .d.ts declares, each with the file of its type, if that has one.
function declared(file) {
    const text = fs.readFileSync(file, "utf8"), imports = {}, fields = {};
    const name = path.basename(file, ".d.ts");
    const body = new RegExp("interface I" + name + "(?: extends [^{]*)? \\{\n([^]*?)\n\\}").exec(text);
    for (const m of text.matchAll(/import \{ ([^}]*) \} from "([^"]*)"/g))
        for (const word of m[1].split(",")) imports[word.trim()] = m[2];
    // At the first level of indentation: what stands deeper is of an object without a name.
    for (const m of (body ? body[1] : "").matchAll(/^    "?([\w$]+)"?\??: (?:Array<)?(\w+)?/gm))
        fields[m[1]] = imports[m[2]] || "";
    return body ? { name, fields } : null;
}

function unknown(value, file, at, out) {
    const known = declared(file);
    if (known === null) return;
    for (const [key, inner] of Object.entries(value)) {
        const type = known.fields[key];
        if (type === undefined) out.push(at + "/" + key + " is no field of " + known.name);
        if (!type || typeof inner !== "object") continue;
        const next = type.startsWith(".") ? path.join(path.dirname(file), type + ".d.ts")
            : require.resolve(type, { paths: [types] }).replace(/\.js$/, ".d.ts");
        if (Array.isArray(inner))
            inner.forEach((item, i) => unknown(item, next, at + "/" + key + "/" + i, out));
        else
            unknown(inner, next, at + "/" + key, out);
    }
}

const manifest = JSON.parse(fs.readFileSync(0, "utf8"));
const wrong = [];
try {
    new Job(manifest).validate();
} catch (error) {
    wrong.push(error.message);
}
unknown(manifest, path.join(types, "batch/v1/Job.d.ts"), "", wrong);
if (wrong.length > 0) {
    console.log(wrong.join("\n"));
    process.exit(1);
}
