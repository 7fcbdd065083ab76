/*
 * kuzzle_status: all counters for Prometheus, in its text format 0.0.4.
 *
 *     # HELP name text
 *     # TYPE name counter|gauge|histogram
 *     name{label="value",...} number
 *
 * The lines of a metric stand together.  Label values are names of our own
 * tables; they are escaped all the same.  What was never counted has no line,
 * where the number of possible lines is large.
 */

#include "proto/http/kz_http.h"

#include "api/kz_server.h"
#include "core/kz_bus.h"
#include "core/kz_stat.h"
#include "store/kz_store.h"


typedef struct {
    const char      *name;
    const char      *type;
    const char      *help;
    size_t           offset;         /* in an area */
} kz_http_metric_t;


static ngx_int_t kz_http_status(ngx_http_request_t *r);
static void kz_http_metrics(kz_out_t *o);
static void kz_http_metric(kz_out_t *o, const char *name, const char *type,
    const char *help);
static void kz_http_label(kz_out_t *o, ngx_uint_t first, const char *name,
    const char *value);
static void kz_http_value(kz_out_t *o, uint64_t n);
static void kz_http_seconds(kz_out_t *o, uint64_t us);
static void kz_http_plain(kz_out_t *o, const kz_http_metric_t *m);
static void kz_http_by_proto(kz_out_t *o, const kz_http_metric_t *m);
static void kz_http_about(kz_out_t *o);
static void kz_http_requests(kz_out_t *o);
static void kz_http_durations(kz_out_t *o);
static void kz_http_store(kz_out_t *o);
static void kz_http_hist(kz_out_t *o, const char *name, size_t offset,
    ngx_uint_t first, const char *labels[][2]);
static ngx_uint_t kz_http_hist_empty(size_t offset);


#define KZ_METRIC(member)  offsetof(kz_stat_area_t, member)


static const kz_http_metric_t  kz_http_plain_metrics[] = {

    { "kuzzle_realtime_subscriptions", "gauge",
      "Clients in rooms, counted once per client and room.",
      KZ_METRIC(gauges.subscriptions) },

    { "kuzzle_realtime_filters", "gauge",
      "Filters the workers compare changes with; a room counts on each "
      "worker that has clients in it.",
      KZ_METRIC(gauges.filters) },

    { "kuzzle_realtime_notifications_total", "counter",
      "Notifications handed to clients.",
      KZ_METRIC(notifications) },

    { "kuzzle_bus_records_total", "counter",
      "Records sent by workers to all workers.",
      KZ_METRIC(bus_records) },

    { "kuzzle_bus_bytes_total", "counter",
      "Bytes of these records.",
      KZ_METRIC(bus_bytes) },

    { "kuzzle_bus_queued_bytes", "gauge",
      "Bytes that wait for room on the bus.",
      KZ_METRIC(gauges.bus_queued) },

    { "kuzzle_bus_refused_total", "counter",
      "Records refused because the queue was full.",
      KZ_METRIC(bus_refused) },

    { "kuzzle_bus_lost_total", "counter",
      "Times a worker was too slow and lost records: its realtime clients "
      "had to reconnect.",
      KZ_METRIC(bus_lost) },

    { "kuzzle_store_connections_lost_total", "counter",
      "Connections of workers to the writer that were lost.",
      KZ_METRIC(store_lost) },

    { "kuzzle_writer_queue_operations", "gauge",
      "Operations the writer has and has not answered.",
      KZ_METRIC(gauges.writer_queue) },

    { "kuzzle_writer_commits_total", "counter",
      "Transactions the writer has committed.",
      KZ_METRIC(writer_commits) },

    { "kuzzle_writer_operations_total", "counter",
      "Operations in these transactions.",
      KZ_METRIC(writer_operations) },

    { NULL, NULL, NULL, 0 }
};


static const kz_http_metric_t  kz_http_proto_metrics[] = {

    { "kuzzle_requests_ongoing", "gauge",
      "Requests that have no answer yet.",
      KZ_METRIC(gauges.ongoing) },

    { "kuzzle_connections_accepted_total", "counter",
      "Lasting connections that were opened.",
      KZ_METRIC(accepted) },

    { "kuzzle_connections_too_slow_total", "counter",
      "Connections closed because the client did not read.",
      KZ_METRIC(slow) },

    { "kuzzle_received_bytes_total", "counter",
      "Bytes received on lasting connections.",
      KZ_METRIC(bytes_in) },

    { "kuzzle_sent_bytes_total", "counter",
      "Bytes sent on lasting connections.",
      KZ_METRIC(bytes_out) },

    { "kuzzle_received_messages_total", "counter",
      "Messages received on lasting connections.",
      KZ_METRIC(messages_in) },

    { "kuzzle_sent_messages_total", "counter",
      "Messages queued for lasting connections.",
      KZ_METRIC(messages_out) },

    { NULL, NULL, NULL, 0 }
};


char *
kz_http_set_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        return clcf->handler == kz_http_status
               ? "is duplicate" : "is in a location that has a handler";
    }

    clcf->handler = kz_http_status;

    return NGX_CONF_OK;
}


static ngx_int_t
kz_http_status(ngx_http_request_t *r)
{
    kz_out_t      o;
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    kz_out_init(&o, r->pool, 16384);
    kz_http_metrics(&o);

    b = ngx_calloc_buf(r->pool);

    if (b == NULL || kz_out_failed(&o)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = o.start;
    b->last = o.pos;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    ngx_str_set(&r->headers_out.content_type, "text/plain; version=0.0.4");
    r->headers_out.content_type_len = sizeof("text/plain") - 1;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = kz_out_len(&o);
    r->disable_not_modified = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static void
kz_http_metrics(kz_out_t *o)
{
    const kz_http_metric_t  *m;

    kz_http_about(o);

    if (kz_conf == NULL) {
        return;
    }

    kz_http_requests(o);
    kz_http_durations(o);

    for (m = kz_http_proto_metrics; m->name; m++) {
        kz_http_by_proto(o, m);
    }

    kz_http_metric(o, "kuzzle_realtime_rooms", "gauge",
                   "Rooms, each counted once over all workers.");
    kz_out_lit(o, "kuzzle_realtime_rooms");
    kz_http_value(o, kz_bus_rooms());

    for (m = kz_http_plain_metrics; m->name; m++) {
        kz_http_plain(o, m);
    }

    kz_http_store(o);
}


static void
kz_http_metric(kz_out_t *o, const char *name, const char *type,
    const char *help)
{
    kz_out_lit(o, "# HELP ");
    kz_out_bytes(o, name, ngx_strlen(name));
    kz_out_char(o, ' ');
    kz_out_bytes(o, help, ngx_strlen(help));
    kz_out_lit(o, "\n# TYPE ");
    kz_out_bytes(o, name, ngx_strlen(name));
    kz_out_char(o, ' ');
    kz_out_bytes(o, type, ngx_strlen(type));
    kz_out_char(o, '\n');
}


static void
kz_http_label(kz_out_t *o, ngx_uint_t first, const char *name,
    const char *value)
{
    kz_out_char(o, first ? '{' : ',');
    kz_out_bytes(o, name, ngx_strlen(name));
    kz_out_lit(o, "=\"");

    for ( /* void */ ; *value; value++) {

        if (*value == '\n') {
            kz_out_lit(o, "\\n");
            continue;
        }

        if (*value == '"' || *value == '\\') {
            kz_out_char(o, '\\');
        }

        kz_out_char(o, (u_char) *value);
    }

    kz_out_char(o, '"');
}


static void
kz_http_value(kz_out_t *o, uint64_t n)
{
    kz_out_char(o, ' ');
    kz_out_int(o, (int64_t) n);
    kz_out_char(o, '\n');
}


static void
kz_http_seconds(kz_out_t *o, uint64_t us)
{
    u_char  *p;
    u_char   buf[NGX_INT64_LEN + 8];

    p = ngx_sprintf(buf, "%uL.%06uL", us / 1000000, us % 1000000);

    while (p[-1] == '0') {
        p--;
    }

    if (p[-1] == '.') {
        p--;
    }

    kz_out_bytes(o, buf, p - buf);
}


static void
kz_http_plain(kz_out_t *o, const kz_http_metric_t *m)
{
    kz_http_metric(o, m->name, m->type, m->help);
    kz_out_bytes(o, m->name, ngx_strlen(m->name));
    kz_http_value(o, kz_stat_total(m->offset));
}


/* A protocol that was never seen has no line. */

static void
kz_http_by_proto(kz_out_t *o, const kz_http_metric_t *m)
{
    uint64_t    n;
    ngx_uint_t  p;

    kz_http_metric(o, m->name, m->type, m->help);

    for (p = 0; p < KZ_STAT_PROTOS; p++) {

        n = kz_stat_total(m->offset + p * sizeof(uint64_t));

        if (n == 0 && kz_stat_sum(done[p][0]) == 0
            && kz_stat_sum(done[p][1]) == 0
            && kz_stat_sum(accepted[p]) == 0)
        {
            continue;
        }

        kz_out_bytes(o, m->name, ngx_strlen(m->name));
        kz_http_label(o, 1, "protocol", kz_stat_protos[p]);
        kz_out_char(o, '}');
        kz_http_value(o, n);
    }
}


static void
kz_http_about(kz_out_t *o)
{
    uint64_t         n;
    u_char           slot[NGX_INT_T_LEN + 1];
    ngx_uint_t       i, p;
    kz_stat_frame_t  f;

    kz_http_metric(o, "kuzzle_build_info", "gauge", "What runs here.");
    kz_out_lit(o, "kuzzle_build_info");
    kz_http_label(o, 1, "version", KZ_VERSION);
    kz_http_label(o, 0, "nginx", NGINX_VERSION);
    kz_out_char(o, '}');
    kz_http_value(o, 1);

    if (kz_conf == NULL || kz_stat_shm == NULL) {
        return;
    }

    kz_http_metric(o, "kuzzle_start_time_seconds", "gauge",
                   "When counting began, in seconds since the epoch.");
    kz_out_lit(o, "kuzzle_start_time_seconds ");
    kz_http_seconds(o, kz_stat_shm->started * 1000);
    kz_out_char(o, '\n');

    kz_http_metric(o, "kuzzle_worker_up", "gauge",
                   "Places of workers: whether somebody has it.");

    n = kz_bus_nslots();

    for (i = 0; i < n; i++) {
        ngx_sprintf(slot, "%ui%Z", i);

        kz_out_lit(o, "kuzzle_worker_up");
        kz_http_label(o, 1, "slot", (char *) slot);
        kz_out_char(o, '}');
        kz_http_value(o, kz_bus_alive(i));
    }

    kz_stat_running(&f);

    kz_http_metric(o, "kuzzle_connections", "gauge",
                   "Connections; of HTTP the requests at work.");

    for (p = 0; p < KZ_STAT_PROTOS; p++) {

        if (f.connections[p] == 0 && f.totals[p][0] == 0
            && f.totals[p][1] == 0 && kz_stat_sum(accepted[p]) == 0)
        {
            continue;
        }

        kz_out_lit(o, "kuzzle_connections");
        kz_http_label(o, 1, "protocol", kz_stat_protos[p]);
        kz_out_char(o, '}');
        kz_http_value(o, f.connections[p]);
    }
}


static void
kz_http_requests(kz_out_t *o)
{
    uint64_t               n;
    u_char                 status[NGX_INT_T_LEN + 1];
    ngx_uint_t             a, p, s;
    const kz_stat_name_t  *name;

    kz_http_metric(o, "kuzzle_requests_total", "counter",
                   "Requests answered.");

    for (a = 0; a < KZ_STAT_ACTIONS; a++) {

        name = kz_stat_name(a);

        if (name == NULL) {
            break;
        }

        if (!kz_stat_used(a)) {
            continue;
        }

        for (p = 0; p < KZ_STAT_PROTOS; p++) {
            for (s = 0; s < KZ_STAT_STATUSES; s++) {

                n = kz_stat_sum(requests[a][p][s]);

                if (n == 0) {
                    continue;
                }

                if (s) {
                    ngx_sprintf(status, "%ui%Z", kz_stat_statuses[s]);
                } else {
                    ngx_sprintf(status, "other%Z");
                }

                kz_out_lit(o, "kuzzle_requests_total");
                kz_http_label(o, 1, "protocol", kz_stat_protos[p]);
                kz_http_label(o, 0, "controller", name->controller);
                kz_http_label(o, 0, "action", name->action);
                kz_http_label(o, 0, "status", (char *) status);
                kz_out_char(o, '}');
                kz_http_value(o, n);
            }
        }
    }
}


static void
kz_http_durations(kz_out_t *o)
{
    size_t       offset;
    ngx_uint_t   p, c;
    const char  *labels[3][2];

    kz_http_metric(o, "kuzzle_request_duration_seconds", "histogram",
                   "From the arrival of a request to its answer, by a clock "
                   "of milliseconds.");

    labels[0][0] = "protocol";
    labels[1][0] = "controller";
    labels[2][0] = NULL;

    for (p = 0; p < KZ_STAT_PROTOS; p++) {
        for (c = 0; c < KZ_STAT_CONTROLLERS && kz_stat_controller(c); c++) {

            offset = KZ_METRIC(time[p][c]);

            if (kz_http_hist_empty(offset)) {
                continue;
            }

            labels[0][1] = kz_stat_protos[p];
            labels[1][1] = kz_stat_controller(c);

            kz_http_hist(o, "kuzzle_request_duration_seconds", offset,
                         KZ_STAT_FIRST_MS, labels);
        }
    }
}


static void
kz_http_store(kz_out_t *o)
{
    uint64_t     n;
    ngx_uint_t   i, k, s;
    const char  *none[1][2] = { { NULL, NULL } };
    const char  *labels[2][2];

    static const char *const  sides[] = { "read", "write" };

    kz_http_metric(o, "kuzzle_store_pending", "gauge",
                   "Operations that wait for the store.");

    for (i = 0; i < 2; i++) {
        kz_out_lit(o, "kuzzle_store_pending");
        kz_http_label(o, 1, "kind", sides[i]);
        kz_out_char(o, '}');
        kz_http_value(o, kz_stat_sum(gauges.store_pending[i]));
    }

    kz_http_metric(o, "kuzzle_store_operations_total", "counter",
                   "Operations of the store that have a result.");

    for (k = 0; k < KZ_STAT_KINDS; k++) {
        for (s = 0; s < KZ_STAT_RESULTS; s++) {

            n = kz_stat_sum(store[k][s]);

            if (n == 0 || kz_store_kind_name(k) == NULL) {
                continue;
            }

            kz_out_lit(o, "kuzzle_store_operations_total");
            kz_http_label(o, 1, "operation", kz_store_kind_name(k));
            kz_http_label(o, 0, "result", kz_store_status_name(s)
                                          ? kz_store_status_name(s)
                                          : "other");
            kz_out_char(o, '}');
            kz_http_value(o, n);
        }
    }

    kz_http_metric(o, "kuzzle_store_duration_seconds", "histogram",
                   "From handing an operation to the store to its result.");

    labels[0][0] = "operation";
    labels[1][0] = NULL;

    for (k = 0; k < KZ_STAT_KINDS; k++) {

        if (kz_store_kind_name(k) == NULL
            || kz_http_hist_empty(KZ_METRIC(store_time[k])))
        {
            continue;
        }

        labels[0][1] = kz_store_kind_name(k);

        kz_http_hist(o, "kuzzle_store_duration_seconds",
                     KZ_METRIC(store_time[k]), 0, labels);
    }

    kz_http_metric(o, "kuzzle_writer_commit_duration_seconds", "histogram",
                   "The COMMIT of a transaction, its fsync included.");

    kz_http_hist(o, "kuzzle_writer_commit_duration_seconds",
                 KZ_METRIC(writer_commit), 0, none);
}


/* Buckets below the first are counted in it. */

static void
kz_http_hist(kz_out_t *o, const char *name, size_t offset, ngx_uint_t first,
    const char *labels[][2])
{
    size_t       len;
    uint64_t     n, sum;
    ngx_uint_t   i, j;

    len = ngx_strlen(name);
    n = 0;

    for (i = 0; i < KZ_STAT_BUCKETS; i++) {

        n += kz_stat_total(offset + offsetof(kz_stat_hist_t, count[i]));

        if (i < first) {
            continue;
        }

        kz_out_bytes(o, name, len);
        kz_out_lit(o, "_bucket");

        for (j = 0; labels[j][0]; j++) {
            kz_http_label(o, j == 0, labels[j][0], labels[j][1]);
        }

        kz_out_char(o, j ? ',' : '{');
        kz_out_lit(o, "le=\"");

        if (i == KZ_STAT_BUCKETS - 1) {
            kz_out_lit(o, "+Inf");
        } else {
            kz_http_seconds(o, kz_stat_bounds[i]);
        }

        kz_out_lit(o, "\"}");
        kz_http_value(o, n);
    }

    sum = kz_stat_total(offset + offsetof(kz_stat_hist_t, sum));

    for (i = 0; i < 2; i++) {
        kz_out_bytes(o, name, len);

        if (i) {
            kz_out_lit(o, "_count");
        } else {
            kz_out_lit(o, "_sum");
        }

        for (j = 0; labels[j][0]; j++) {
            kz_http_label(o, j == 0, labels[j][0], labels[j][1]);
        }

        if (j) {
            kz_out_char(o, '}');
        }

        if (i) {
            kz_http_value(o, n);

        } else {
            kz_out_char(o, ' ');
            kz_http_seconds(o, sum);
            kz_out_char(o, '\n');
        }
    }
}


static ngx_uint_t
kz_http_hist_empty(size_t offset)
{
    ngx_uint_t  i;

    for (i = 0; i < KZ_STAT_BUCKETS; i++) {
        if (kz_stat_total(offset + offsetof(kz_stat_hist_t, count[i]))) {
            return 0;
        }
    }

    return 1;
}
