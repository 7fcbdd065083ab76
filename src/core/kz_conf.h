#ifndef _KZ_CONF_H_INCLUDED_
#define _KZ_CONF_H_INCLUDED_

/*
 * The settings, one struct per configuration level.  The directives, and the
 * defaults at the main level: ngx_kuzzle_module.c; the defaults of locations:
 * proto/http/kz_http_conf.c; their manual: docs/directives.md.
 */

#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    KZ_DIALECT_AUTO = 0,
    KZ_DIALECT_1,
    KZ_DIALECT_2
} kz_dialect_e;


/* kuzzle { } at the main level */

typedef struct {
    ngx_str_t        data;               /* full path, no trailing slash */
    ngx_str_t        file;               /* where it was configured: */
    ngx_uint_t       line;               /* for late errors */
    ngx_uint_t       threads;            /* per worker, for reads */
    ngx_msec_t       store_timeout;      /* deadline of one operation */
    ngx_msec_t       query_timeout;      /* time budget of one search */
    ngx_uint_t       store_pending;      /* operations in flight, a worker */
    ngx_uint_t       open_files;         /* index files a process keeps */
    size_t           bus_size;           /* bytes of the change ring */
    size_t           bus_queue;          /* bytes a worker may hold back */
    ngx_uint_t       fetch_count;        /* limits.documentsFetchCount */
    ngx_uint_t       write_count;        /* limits.documentsWriteCount */
    ngx_uint_t       filter_conditions;  /* limits.subscriptionConditionsC. */
    ngx_uint_t       filter_minterms;    /* limits.subscriptionMinterms */
    ngx_uint_t       rooms;              /* limits.subscriptionRooms */
    ngx_msec_t       drain;              /* kuzzle_drain */
    ngx_str_t        node;               /* node name in 2.x envelopes */
    ngx_msec_t       store_wait;         /* a queue is full when it is longer */
    size_t           store_pending_size; /* bytes of parked bodies, a worker */
    ngx_msec_t       stats_interval;     /* server:getStats: a frame */
    ngx_msec_t       stats_ttl;          /* and how long it is kept */
    ngx_array_t     *log_formats;        /* of kz_log_format_t pointers */
    unsigned         enabled:1;          /* some location says "kuzzle" */
    unsigned         declared:1;         /* kuzzle { } was seen */
} kz_main_conf_t;


/* http, server, location */

typedef struct {
    ngx_flag_t       enable;
    ngx_uint_t       api;                /* kz_dialect_e */
    size_t           body_max;           /* server.maxRequestSize */
    ngx_uint_t       json_depth;
    ngx_uint_t       max_connections;    /* WebSockets, this worker; 0: no */
    ngx_uint_t       pending;            /* queries in flight, a socket */
    ngx_uint_t       subscriptions;      /* rooms, a socket */
    size_t           send_queue;         /* bytes a slow reader may owe */
    ngx_msec_t       heartbeat;          /* a ping after that much silence */
    ngx_msec_t       send_timeout;       /* a peer that takes nothing */
    ngx_flag_t       compression;        /* http: of bodies and replies */
    ngx_uint_t       encoding_layers;    /* http.maxEncodingLayers */
    ngx_int_t        compression_level;  /* zlib's, 1 to 9 */
    size_t           compression_min;    /* bytes of a reply */
    size_t           form_file_max;      /* http.maxFormFileSize */
    ngx_flag_t       cookies;            /* http.cookieAuthentication */
    ngx_flag_t       shutdown;           /* admin:shutdown is allowed */
    ngx_array_t     *origins;            /* of ngx_str_t; NULL: all ("*") */
    ngx_uint_t       legacy_flat;        /* envelope of generation 0 */
    ngx_array_t     *logs;               /* of kz_log_t; NULL: off */
} kz_loc_conf_t;


/*
 * The main settings of the running cycle; NULL when nothing is configured.
 * Set by the core module's init hooks.
 */
extern kz_main_conf_t  *kz_conf;


/* Whether a page of that origin may ask here: kuzzle_allow_origin. */
ngx_uint_t kz_conf_origin(const kz_loc_conf_t *conf,
    const ngx_str_t *origin);


#endif /* _KZ_CONF_H_INCLUDED_ */
