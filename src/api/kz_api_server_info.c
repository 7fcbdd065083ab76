/*
 * server:info and server:capabilities: what runs here, and on what.
 *
 * The state of the storage comes from the store itself: first whether the
 * writer answers, then what the files take (counted by a thread).  What the
 * kernel knows of the machine is read from /proc, which is no disk: the
 * processors' times at most once a second.
 */

#include "api/kz_router.h"
#include "api/kz_server.h"
#include "core/kz_bus.h"
#include "store/kz_store.h"

#include <stdio.h>
#include <sys/sysinfo.h>


#define KZ_INFO_CPUS_AGE  1000       /* ms */
#define KZ_INFO_MODEL     128        /* bytes of a processor's name */
#define KZ_INFO_STAT      160        /* bytes of a line in /proc/stat */
#define KZ_INFO_CPU       320        /* of a processor as JSON, beside it */


typedef struct {
    u_char               model[KZ_INFO_MODEL];
    ngx_uint_t           mhz;
} kz_info_cpu_t;


typedef struct {
    kz_info_cpu_t       *cpus;
    ngx_uint_t           ncpus;
    u_char              *stat;       /* /proc/stat, as far as it matters */
    size_t               stat_size;
    u_char              *json;       /* "[...]", as it was at "when" */
    size_t               json_size;
    size_t               json_len;
    ngx_msec_t           when;
} kz_info_t;


/* What one info knows so far. */

typedef struct {
    const char          *status;     /* of the storage */
    uint64_t             space;
    unsigned             spaced:1;   /* space is known */
} kz_info_ctx_t;


static ngx_int_t kz_server_info_pinged(kz_req_t *req);
static ngx_int_t kz_server_info_spaced(kz_req_t *req);
static void kz_info_kuzzle(kz_req_t *req, kz_out_t *o);
static void kz_info_services(kz_req_t *req, kz_out_t *o);
static void kz_info_cache(kz_out_t *o, const char *name);
static void kz_info_storage(kz_out_t *o, const char *name,
    kz_info_ctx_t *ctx);
static void kz_info_text(kz_out_t *o, const char *s);
static void kz_info_bytes(kz_out_t *o, uint64_t n, const char **units);
static size_t kz_info_resident(void);
static void kz_info_models(void);
static void kz_info_cpus(void);
static u_char *kz_info_cpu(u_char *p, u_char *last, u_char *line,
    kz_info_cpu_t *cpu);
static size_t kz_info_read(const char *path, u_char *buf, size_t size);


static kz_info_t  kz_info;


ngx_int_t
kz_server_info_init(ngx_cycle_t *cycle)
{
    ngx_memzero(&kz_info, sizeof(kz_info_t));

    kz_info.ncpus = ngx_ncpu > 0 ? ngx_ncpu : 1;
    kz_info.stat_size = (kz_info.ncpus + 1) * KZ_INFO_STAT;
    kz_info.json_size = kz_info.ncpus * (KZ_INFO_CPU + KZ_INFO_MODEL) + 2;

    kz_info.cpus = ngx_pcalloc(cycle->pool,
                               kz_info.ncpus * sizeof(kz_info_cpu_t));
    kz_info.stat = ngx_pnalloc(cycle->pool, kz_info.stat_size);
    kz_info.json = ngx_pnalloc(cycle->pool, kz_info.json_size);

    if (kz_info.cpus == NULL || kz_info.stat == NULL || kz_info.json == NULL)
    {
        return NGX_ERROR;
    }

    kz_info_models();

    return NGX_OK;
}


ngx_int_t
kz_server_info(kz_req_t *req)
{
    kz_info_ctx_t  *ctx;

    ctx = ngx_pcalloc(req->pool, sizeof(kz_info_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    req->ctx = ctx;

    return kz_server_ping(req, kz_server_info_pinged);
}


static ngx_int_t
kz_server_info_pinged(kz_req_t *req)
{
    kz_info_ctx_t  *ctx = req->ctx;
    kz_store_op_t  *op;

    switch (req->op->status) {

    case KZ_STORE_OK:
        ctx->status = "green";
        break;

    case KZ_STORE_BUSY:
        ctx->status = "yellow";
        break;

    default:
        ctx->status = "red";
    }

    op = kz_store_op(req, KZ_STORE_SPACE, kz_server_info_spaced);
    if (op == NULL) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


/* Without the number the rest is still worth telling. */

static ngx_int_t
kz_server_info_spaced(kz_req_t *req)
{
    kz_out_t        o;
    kz_info_ctx_t  *ctx = req->ctx;

    if (req->op->status == KZ_STORE_OK) {
        ctx->space = req->op->total;
        ctx->spaced = 1;
    }

    kz_info_cpus();

    kz_out_init(&o, req->pool,
                kz_server_api(req->dialect)->len + kz_info.json_len + 2048);

    kz_out_lit(&o, "{\"serverInfo\":{\"kuzzle\":");
    kz_info_kuzzle(req, &o);
    kz_out_lit(&o, ",\"services\":");
    kz_info_services(req, &o);
    kz_out_lit(&o, "}}");

    return kz_result_json(req, &o);
}


static void
kz_info_kuzzle(kz_req_t *req, kz_out_t *o)
{
    int64_t          up;
    ngx_time_t      *tp;
    struct sysinfo   si;

    kz_out_lit(o, "{\"version\":");
    kz_info_text(o, kz_server_version(req));
    kz_out_lit(o, ",\"server\":{\"name\":\"ngx_kuzzle\",\"version\":\""
                  KZ_VERSION "\",\"nginx\":\"" NGINX_VERSION "\"}"
                  ",\"api\":{\"routes\":");
    kz_out_str(o, kz_server_api(req->dialect));

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_lit(o, "},\"application\":{\"name\":\"ngx_kuzzle\","
                      "\"version\":\"" KZ_VERSION "\"");
    }

    /* Kuzzle: nodeVersion and uptime are text */

    kz_out_lit(o, "},\"nodeVersion\":\"" KZ_SERVER_NODE "\""
                  ",\"memoryUsed\":");
    kz_out_int(o, kz_info_resident());

    tp = ngx_timeofday();
    up = (int64_t) tp->sec * 1000 + tp->msec - kz_server_started();
    up = ngx_max(up, 0);

    kz_out_lit(o, ",\"uptime\":\"");
    kz_out_int(o, up / 1000);
    kz_out_char(o, '.');
    kz_out_char(o, '0' + up / 100 % 10);
    kz_out_char(o, '0' + up / 10 % 10);
    kz_out_char(o, '0' + up % 10);

    kz_out_lit(o, "s\",\"plugins\":{},\"system\":{\"memory\":{");

    ngx_memzero(&si, sizeof(struct sysinfo));
    (void) sysinfo(&si);

    kz_out_lit(o, "\"total\":");
    kz_out_int(o, (int64_t) si.totalram * si.mem_unit);
    kz_out_lit(o, ",\"free\":");
    kz_out_int(o, (int64_t) si.freeram * si.mem_unit);
    kz_out_lit(o, "},\"cpus\":");
    kz_out_bytes(o, kz_info.json, kz_info.json_len);
    kz_out_lit(o, "}}");
}


/*
 * Kuzzle: the services have other names in the two generations.  One shared
 * zone is both caches, one store is both storages.
 */

static void
kz_info_services(kz_req_t *req, kz_out_t *o)
{
    kz_info_ctx_t  *ctx = req->ctx;

    kz_out_char(o, '{');
    kz_info_cache(o, "internalCache");
    kz_out_char(o, ',');

    if (req->dialect == KZ_DIALECT_2) {
        kz_info_storage(o, "internalStorage", ctx);
        kz_out_char(o, ',');
        kz_info_cache(o, "memoryStorage");
        kz_out_char(o, ',');
        kz_info_storage(o, "publicStorage", ctx);

    } else {
        kz_info_cache(o, "memoryStorage");
        kz_out_char(o, ',');
        kz_info_storage(o, "storageEngine", ctx);
    }

    kz_out_char(o, '}');
}


static void
kz_info_cache(kz_out_t *o, const char *name)
{
    size_t  used, peak;

    static const char  *units[] = { "B", "K", "M", "G", "T", NULL };

    if (kz_bus_memory(&used, &peak) != NGX_OK) {
        used = 0;
        peak = 0;
    }

    kz_info_text(o, name);
    kz_out_lit(o, ":{\"type\":\"shared memory\",\"version\":\"" KZ_VERSION
                  "\",\"mode\":\"standalone\",\"memoryUsed\":\"");
    kz_info_bytes(o, used, units);
    kz_out_lit(o, "\",\"memoryPeak\":\"");
    kz_info_bytes(o, peak, units);
    kz_out_lit(o, "\"}");
}


static void
kz_info_storage(kz_out_t *o, const char *name, kz_info_ctx_t *ctx)
{
    static const char  *units[] = { "b", "kb", "mb", "gb", "tb", NULL };

    kz_info_text(o, name);
    kz_out_lit(o, ":{\"type\":");
    kz_info_text(o, kz_store_engine());
    kz_out_lit(o, ",\"version\":");
    kz_info_text(o, kz_store_engine_version());
    kz_out_lit(o, ",\"status\":");
    kz_info_text(o, ctx->status);
    kz_out_lit(o, ",\"nodes\":{\"count\":{\"total\":1}},\"spaceUsed\":");

    if (ctx->spaced) {
        kz_out_char(o, '"');
        kz_info_bytes(o, ctx->space, units);
        kz_out_char(o, '"');

    } else {
        kz_out_lit(o, "null");
    }

    kz_out_lit(o, ",\"lucene\":null}");
}


static void
kz_info_text(kz_out_t *o, const char *s)
{
    kz_out_json(o, (const u_char *) s, ngx_strlen(s));
}


/* "5b", "1.2kb": one digit after the point, from the second unit on */

static void
kz_info_bytes(kz_out_t *o, uint64_t n, const char **units)
{
    uint64_t  tenths;

    if (n < 1024) {
        kz_out_int(o, n);
        kz_out_bytes(o, units[0], ngx_strlen(units[0]));
        return;
    }

    while (n >= 1024 * 1024 && units[2]) {
        n /= 1024;
        units++;
    }

    tenths = n * 10 / 1024;

    kz_out_int(o, tenths / 10);

    if (tenths % 10) {
        kz_out_char(o, '.');
        kz_out_char(o, '0' + tenths % 10);
    }

    kz_out_bytes(o, units[1], ngx_strlen(units[1]));
}


static size_t
kz_info_resident(void)
{
    char    *p;
    u_char   text[128];

    if (kz_info_read("/proc/self/statm", text, sizeof(text)) == 0) {
        return 0;
    }

    p = strchr((char *) text, ' ');

    return p ? strtoul(p + 1, NULL, 10) * ngx_pagesize : 0;
}


/* A file the kernel makes up, NUL-terminated; what does not fit is cut. */

static size_t
kz_info_read(const char *path, u_char *buf, size_t size)
{
    int      fd;
    size_t   len;
    ssize_t  n;

    fd = open(path, O_RDONLY|O_CLOEXEC);
    if (fd == -1) {
        return 0;
    }

    len = 0;

    while (len < size - 1) {
        n = read(fd, buf + len, size - 1 - len);

        if (n <= 0) {
            break;
        }

        len += n;
    }

    (void) close(fd);

    buf[len] = '\0';

    return len;
}


/* Names and clocks, once: the master reads them before it forks. */

static void
kz_info_models(void)
{
    char        line[256], *p;
    FILE       *f;
    ngx_int_t   n;

    f = fopen("/proc/cpuinfo", "re");
    if (f == NULL) {
        return;
    }

    n = -1;

    while (fgets(line, sizeof(line), f)) {

        line[strcspn(line, "\n")] = '\0';

        p = strchr(line, ':');
        if (p == NULL) {
            continue;
        }

        p += (p[1] == ' ') ? 2 : 1;

        if (ngx_strncmp(line, "processor", 9) == 0) {
            n++;
        }

        if (n < 0 || (ngx_uint_t) n >= kz_info.ncpus) {
            continue;
        }

        if (ngx_strncmp(line, "model name", 10) == 0) {
            (void) ngx_cpystrn(kz_info.cpus[n].model, (u_char *) p,
                               KZ_INFO_MODEL);

        } else if (ngx_strncmp(line, "cpu MHz", 7) == 0) {
            kz_info.cpus[n].mhz = strtoul(p, NULL, 10);
        }
    }

    (void) fclose(f);
}


/* [{model, speed, times: {user, nice, sys, idle, irq}}], times in ms */

static void
kz_info_cpus(void)
{
    u_char      *p, *last, *line;
    ngx_uint_t   i;

    if (kz_info.json_len
        && ngx_current_msec - kz_info.when < KZ_INFO_CPUS_AGE)
    {
        return;
    }

    kz_info.when = ngx_current_msec;

    if (kz_info_read("/proc/stat", kz_info.stat, kz_info.stat_size) == 0) {
        kz_info.stat[0] = '\0';
    }

    p = kz_info.json;
    last = p + kz_info.json_size;

    *p++ = '[';

    line = kz_info.stat;

    for (i = 0; i < kz_info.ncpus; i++) {

        /* the first line is the sum of those that follow */

        line = (u_char *) strchr((char *) line, '\n');

        if (line == NULL || ngx_strncmp(line, "\ncpu", 4) != 0) {
            break;
        }

        line++;

        if (i) {
            *p++ = ',';
        }

        p = kz_info_cpu(p, last - 1, line, &kz_info.cpus[i]);
    }

    *p++ = ']';

    kz_info.json_len = p - kz_info.json;
}


static u_char *
kz_info_cpu(u_char *p, u_char *last, u_char *line, kz_info_cpu_t *cpu)
{
    char      *end;
    u_char    *name, c;
    uint64_t   t[6], tick;
    ngx_uint_t i;

    /* cpuN user nice system idle iowait irq ... */

    end = strchr((char *) line, ' ');

    for (i = 0; i < 6; i++) {
        t[i] = end ? strtoull(end, &end, 10) : 0;
    }

    tick = 1000 / ngx_max(sysconf(_SC_CLK_TCK), 1);

    p = ngx_slprintf(p, last, "{\"model\":\"");

    for (name = cpu->model; *name && last - p > KZ_INFO_CPU; name++) {
        c = *name;
        *p++ = (c < 0x20 || c > 0x7e || c == '"' || c == '\\') ? '?' : c;
    }

    return ngx_slprintf(p, last, "\",\"speed\":%ui,\"times\":{\"user\":%uL,"
                        "\"nice\":%uL,\"sys\":%uL,\"idle\":%uL,"
                        "\"irq\":%uL}}", cpu->mhz, t[0] * tick, t[1] * tick,
                        t[2] * tick, t[3] * tick, t[5] * tick);
}


/* Kuzzle: only since 2.17.  Services are those with a backend. */

ngx_int_t
kz_server_capabilities(kz_req_t *req)
{
    kz_out_t  o;

    kz_out_init(&o, req->pool, kz_server_api(req->dialect)->len + 1024);

    kz_out_lit(&o, "{\"limits\":");
    kz_server_limits(req, &o);
    kz_out_lit(&o, ",\"plugins\":{},\"routes\":");
    kz_out_str(&o, kz_server_api(req->dialect));
    kz_out_lit(&o, ",\"services\":{\"internalCache\":{"
                   "\"backend\":\"shared memory\",\"version\":\"" KZ_VERSION
                   "\"},\"memoryStorage\":{\"backend\":\"shared memory\","
                   "\"version\":\"" KZ_VERSION "\"},\"storageEngine\":{"
                   "\"backend\":");
    kz_info_text(&o, kz_store_engine());
    kz_out_lit(&o, ",\"version\":");
    kz_info_text(&o, kz_store_engine_version());
    kz_out_lit(&o, "}},\"version\":");
    kz_info_text(&o, kz_server_version(req));
    kz_out_char(&o, '}');

    return kz_result_json(req, &o);
}
