/*
 * Controller cluster.  There is one node, and it joined when nginx started:
 * its processes share one memory and one store, and no other machine's.
 */

#include "api/kz_router.h"
#include "api/kz_server.h"
#include "core/kz_conf.h"

#include <ifaddrs.h>
#include <net/if.h>


static ngx_int_t kz_cluster_status(kz_req_t *req);
static void kz_cluster_date(kz_out_t *o, int64_t ms);
static void kz_cluster_address(void);
static ngx_uint_t kz_cluster_rank(struct ifaddrs *ifa);


/* The node's address as text; "" until it is looked for. */

static char  kz_cluster_text[NGX_INET_ADDRSTRLEN + 1];


const kz_action_t  kz_cluster_actions[] = {

    { "status", kz_cluster_status, "", "",
      "2GET /cluster/_status",
      KZ_V2 },

      kz_null_action
};


static ngx_int_t
kz_cluster_status(kz_req_t *req)
{
    kz_out_t  o;

    if (kz_cluster_text[0] == '\0') {
        kz_cluster_address();
    }

    kz_out_init(&o, req->pool, 512);

    kz_out_lit(&o, "{\"activeNodes\":1,\"activity\":[{\"address\":\"");
    kz_out_bytes(&o, kz_cluster_text, ngx_strlen(kz_cluster_text));
    kz_out_lit(&o, "\",\"date\":");
    kz_cluster_date(&o, kz_server_started());
    kz_out_lit(&o, ",\"event\":\"joined\",\"id\":");
    kz_out_json_str(&o, &kz_conf->node);
    kz_out_lit(&o, "}],\"nodes\":[{\"address\":\"");
    kz_out_bytes(&o, kz_cluster_text, ngx_strlen(kz_cluster_text));
    kz_out_lit(&o, "\",\"birthdate\":");
    kz_cluster_date(&o, kz_server_started());
    kz_out_lit(&o, ",\"id\":");
    kz_out_json_str(&o, &kz_conf->node);
    kz_out_lit(&o, "}]}");

    return kz_result_json(req, &o);
}


/* ISO 8601, as in JavaScript: 2026-11-22T13:16:22.129Z */

static void
kz_cluster_date(kz_out_t *o, int64_t ms)
{
    u_char    *p;
    ngx_tm_t   tm;
    u_char     text[64];

    ngx_gmtime(ms / 1000, &tm);

    p = ngx_slprintf(text, text + sizeof(text),
                     "\"%4d-%02d-%02dT%02d:%02d:%02d.%03dZ\"",
                     tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                     tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec,
                     (int) (ms % 1000));

    kz_out_bytes(o, text, p - text);
}


/*
 * Kuzzle: the node's address is the first private one (setting cluster.ip).
 * Interfaces are asked of the kernel, no name is looked up.
 */

static void
kz_cluster_address(void)
{
    ngx_uint_t           best, rank;
    struct ifaddrs      *list, *ifa;
    struct sockaddr_in  *sin;

    best = 0;
    (void) ngx_cpystrn((u_char *) kz_cluster_text, (u_char *) "127.0.0.1",
                       sizeof(kz_cluster_text));

    if (getifaddrs(&list) == -1) {
        return;
    }

    for (ifa = list; ifa; ifa = ifa->ifa_next) {
        rank = kz_cluster_rank(ifa);

        if (rank <= best) {
            continue;
        }

        sin = (struct sockaddr_in *) ifa->ifa_addr;

        if (inet_ntop(AF_INET, &sin->sin_addr, kz_cluster_text,
                      sizeof(kz_cluster_text)))
        {
            best = rank;
        }
    }

    freeifaddrs(list);
}


/* 0: not to be considered; 1: public; 2: private (RFC 1918) */

static ngx_uint_t
kz_cluster_rank(struct ifaddrs *ifa)
{
    in_addr_t            a;
    struct sockaddr_in  *sin;

    if (ifa->ifa_addr == NULL || ifa->ifa_addr->sa_family != AF_INET
        || !(ifa->ifa_flags & IFF_UP) || (ifa->ifa_flags & IFF_LOOPBACK))
    {
        return 0;
    }

    sin = (struct sockaddr_in *) ifa->ifa_addr;
    a = ntohl(sin->sin_addr.s_addr);

    if ((a & 0xff000000) == 0x0a000000 || (a & 0xfff00000) == 0xac100000
        || (a & 0xffff0000) == 0xc0a80000)
    {
        return 2;
    }

    return 1;
}
