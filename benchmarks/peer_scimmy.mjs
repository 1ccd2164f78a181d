// The peer SCIMMY behind its routers for Express: its resources are in maps, and it checks that there is a token.
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const stores = {User: new Map(), Group: new Map()};
let last = 0;

function declare(type, extensions) {
    const store = stores[type.name];
    const declared = SCIMMY.Resources.declare(type);
    for (const extension of extensions) declared.extend(extension);
    declared
        .ingress((resource, data) => {
            const id = resource.id ?? String(++last).padStart(12, "0");
            const before = store.get(id);
            if (resource.id && !before) throw new SCIMMY.Types.Error(404, null, `Resource ${id} not found`);
            const now = new Date().toISOString();
            const meta = {created: before?.meta.created ?? now, lastModified: now};
            const saved = {...JSON.parse(JSON.stringify(data)), id, meta};
            store.set(id, saved);
            return saved;
        })
        .egress((resource) => {
            if (resource.id) {
                if (!store.has(resource.id)) throw new SCIMMY.Types.Error(404, null, "Resource not found");
                return store.get(resource.id);
            }
            const all = [...store.values()];
            const found = resource.filter ? resource.filter.match(all) : all;
            const {sortBy, startIndex = 1, count = found.length} = resource.constraints ?? {};
            if (sortBy || startIndex !== 1) return found;
            // Left to itself the library makes answers of all that is found and cuts the page out of them.
            resource.constraints = {...resource.constraints, totalResults: found.length};
            return found.slice(0, count);
        })
        .degress((resource) => {
            if (!store.delete(resource.id)) throw new SCIMMY.Types.Error(404, null, "Resource not found");
        });
}

declare(SCIMMY.Resources.User, [SCIMMY.Schemas.EnterpriseUser]);
declare(SCIMMY.Resources.Group, []);

const app = express();
app.use("/v2", new SCIMMYRouters({
    type: "bearer",
    handler: (request) => {
        if (!request.header("Authorization")?.startsWith("Bearer ")) throw new Error("no token");
        return "bench";
    },
}));
app.listen(Number(process.argv[2]), "127.0.0.1");
