#ifndef _KZ_GATE_H_INCLUDED_
#define _KZ_GATE_H_INCLUDED_

/*
 * The gate in front of a queue: lets an operation in as long as it can
 * expect to be served within a time, and sends it away at once otherwise.
 *
 *     kz_gate_admits() -> kz_gate_enter() -> queue, service
 *                                              -> kz_gate_leave()
 *
 * The wait is what is inside, times the time between two that leave.  The
 * latter is measured between moments at which somebody came and found the
 * floor full, and only over the time when there was something to do: how
 * fast a server is that was not asked for more, nobody knows.
 *
 * Up to the floor everybody is let in.  It is what keeps the servers busy
 * while an estimate is too pessimistic, so none can close the gate for good.
 *
 * No clock, no memory, no locks: times are milliseconds and passed in.
 */

#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_uint_t    pending;       /* inside now */
    ngx_uint_t    floor;         /* as many are never refused */
    ngx_msec_t    limit;         /* ms; a longer wait is refused */

    uint64_t      interval;      /* ns between two that leave; 0: unknown */

    ngx_msec_t    full;          /* when the floor was found full, last */
    ngx_msec_t    last;          /* when one left, or the first came in */

    /* the window being measured */
    ngx_msec_t    start;
    ngx_msec_t    since;         /* not empty since, while pending */
    ngx_msec_t    busy;          /* not empty for so long, before that */
    ngx_uint_t    served;
    unsigned      seen:1;        /* full holds a time */
} kz_gate_t;


void kz_gate_init(kz_gate_t *g, ngx_uint_t floor, ngx_msec_t limit);

/* Whether one more may enter.  It changes only what is known of the past. */
ngx_uint_t kz_gate_admits(kz_gate_t *g, ngx_msec_t now);

void kz_gate_enter(kz_gate_t *g, ngx_msec_t now);

/* served: 0 for one that was given up, which says nothing about the rate. */
void kz_gate_leave(kz_gate_t *g, ngx_msec_t now, ngx_uint_t served);

/* What one that came now would have to wait, as far as is known; ms. */
ngx_msec_t kz_gate_wait(const kz_gate_t *g, ngx_msec_t now);


#endif /* _KZ_GATE_H_INCLUDED_ */
