/*
 * Connected parties.  See kz_client.h.
 */

#include "core/kz_client.h"
#include "core/kz_req.h"


/* nginx's status for a client that did not wait */

#define KZ_CLIENT_LEFT  499


void (*kz_client_gone)(kz_client_t *c);
void (*kz_client_log)(kz_req_t *req, ngx_uint_t status);


void
kz_client_init(kz_client_t *c, const kz_proto_t *proto, void *session,
    kz_loc_conf_t *conf, ngx_log_t *log)
{
    ngx_memzero(c, sizeof(kz_client_t));

    c->proto = proto;
    c->session = session;
    c->conf = conf;
    c->log = log;
    c->dialect = KZ_DIALECT_AUTO;

    ngx_queue_init(&c->requests);
    ngx_queue_init(&c->rooms);
}


void
kz_client_close(kz_client_t *c)
{
    kz_req_t     *req;
    ngx_queue_t  *q;

    if (c->closed) {
        return;
    }

    c->closed = 1;

    while (!ngx_queue_empty(&c->requests)) {
        q = ngx_queue_head(&c->requests);
        ngx_queue_remove(q);

        req = ngx_queue_data(q, kz_req_t, queue);

        if (c->conf->logs && (req->parked || req->running)) {
            kz_client_log(req, KZ_CLIENT_LEFT);
        }

        req->client = NULL;
        req->log = ngx_cycle->log;
    }

    c->pending = 0;

    if (c->nrooms && kz_client_gone) {
        kz_client_gone(c);
    }
}


u_char *
kz_client_id(kz_client_t *c)
{
    if (!c->id_set) {
        kz_uuid(c->id);
        c->id_set = 1;
    }

    return c->id;
}
