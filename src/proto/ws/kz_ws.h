#ifndef _KZ_WS_H_INCLUDED_
#define _KZ_WS_H_INCLUDED_

/*
 * WebSocket: the door of this folder.
 *
 *     HTTP handler -> handshake: 101, then the connection is taken away
 *                     from its HTTP request    kz_ws_handshake.c
 *     session: from its begin to its end       kz_ws.c
 *     messages in                              kz_ws_read.c
 *     frames out, many of them in one writev   kz_ws_out.c
 *     all of a worker, its shutdown            kz_ws_drain.c
 *     frames, pure                             kz_ws_frame.c
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "core/kz_client.h"


extern const kz_proto_t  kz_ws_proto;


/*
 * Content handler of a request with "Upgrade: websocket".  Answers 101 and
 * takes the connection over, or answers with an error; returns what a
 * content handler returns.
 *
 * From the end of this turn on nothing of the HTTP request exists any more:
 * its line in the access log is written then.
 */
ngx_int_t kz_ws_handshake(ngx_http_request_t *r, kz_loc_conf_t *conf);

/* WebSockets of this worker, handshakes included. */
ngx_uint_t kz_ws_sessions(void);


#endif /* _KZ_WS_H_INCLUDED_ */
