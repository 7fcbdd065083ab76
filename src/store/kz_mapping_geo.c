
/*
 * Values that are more than a scalar's text: points on the earth, addresses
 * of the internet.
 */

#include "store/kz_mapping_node.h"
#include <arpa/inet.h>


static uint64_t kz_value_spread(uint64_t x);


ngx_int_t
kz_value_points(const kz_field_t *f, const kz_json_val_t *json,
    kz_value_point_pt visit, void *ctx)
{
    ngx_int_t        rc, bad;
    kz_json_val_t    item;
    kz_json_iter_t   it;
    kz_geo_point_t   p;

    if (json->type == KZ_JSON_NULL) {
        if (f->null_value.type == KZ_JSON_NONE
            || f->null_value.type == KZ_JSON_NULL)
        {
            return NGX_OK;
        }

        json = &f->null_value;
    }

    if (json->type == KZ_JSON_ARRAY) {
        bad = NGX_OK;

        kz_json_iter(&it, json);

        while (kz_json_next(&it, &item) == NGX_OK) {

            if (item.type == KZ_JSON_NUMBER) {
                goto point;
            }

            rc = kz_value_points(f, &item, visit, ctx);

            if (rc == NGX_DECLINED) {
                bad = NGX_DECLINED;

            } else if (rc != NGX_OK) {
                return rc;
            }
        }

        return bad;
    }

point:

    if (kz_geo_point(json, KZ_GEO_ENGINE, &p) != NGX_OK) {
        return NGX_DECLINED;
    }

    return visit(ctx, &p);
}


/* Bit i goes to bit 2i. */
static uint64_t
kz_value_spread(uint64_t x)
{
    x = (x | (x << 16)) & 0x0000ffff0000ffff;
    x = (x | (x << 8)) & 0x00ff00ff00ff00ff;
    x = (x | (x << 4)) & 0x0f0f0f0f0f0f0f0f;
    x = (x | (x << 2)) & 0x3333333333333333;

    return (x | (x << 1)) & 0x5555555555555555;
}


/*
 * 31 bits of each, so that the key is positive; both grow with the key when
 * the other one stays.
 */
int64_t
kz_value_geo_key(const kz_geo_point_t *p)
{
    double  lat, lon;

    lat = (p->lat + 90) / 180 * 2147483648.0;
    lon = (p->lon + 180) / 360 * 2147483648.0;

    lat = ngx_min(ngx_max(lat, 0), 2147483647.0);
    lon = ngx_min(ngx_max(lon, 0), 2147483647.0);

    return (int64_t) ((kz_value_spread((uint64_t) lat) << 1)
                      | kz_value_spread((uint64_t) lon));
}


ngx_int_t
kz_ip_read(const u_char *p, size_t len, u_char *dst, ngx_int_t *bits)
{
    char           text[INET6_ADDRSTRLEN];
    u_char         addr[16];
    size_t         i;
    ngx_int_t      n, max;
    const u_char  *slash;

    if (bits != NULL) {
        *bits = -1;
        slash = ngx_strlchr((u_char *) p, (u_char *) p + len, '/');

        if (slash != NULL) {
            *bits = ngx_atoi((u_char *) slash + 1, p + len - slash - 1);

            if (*bits == NGX_ERROR) {
                return NGX_DECLINED;
            }

            len = slash - p;
        }
    }

    if (len == 0 || len >= sizeof(text)
        || ngx_strlchr((u_char *) p, (u_char *) p + len, '\0') != NULL)
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(text, p, len);
    text[len] = '\0';

    if (ngx_strlchr((u_char *) p, (u_char *) p + len, ':') != NULL) {
        n = inet_pton(AF_INET6, text, addr);
        max = 128;

    } else {
        ngx_memzero(addr, 10);
        addr[10] = 0xff;
        addr[11] = 0xff;

        n = inet_pton(AF_INET, text, &addr[12]);
        max = 32;
    }

    if (n != 1) {
        return NGX_DECLINED;
    }

    if (bits != NULL && *bits >= 0) {

        if (*bits > max) {
            return NGX_DECLINED;
        }

        *bits += 128 - max;
    }

    for (i = 0; i < sizeof(addr); i++) {
        dst[2 * i] = "0123456789abcdef"[addr[i] >> 4];
        dst[2 * i + 1] = "0123456789abcdef"[addr[i] & 15];
    }

    return NGX_OK;
}


u_char *
kz_ip_print(u_char *dst, const ngx_str_t *hex)
{
    u_char      addr[16];
    ngx_int_t   n;
    ngx_uint_t  i;

    if (hex->len != KZ_IP_LEN) {
        return ngx_cpymem(dst, hex->data, ngx_min(hex->len, KZ_IP_TEXT - 1));
    }

    for (i = 0; i < sizeof(addr); i++) {
        n = ngx_hextoi(&hex->data[2 * i], 2);
        addr[i] = (u_char) n;
    }

    if (ngx_memcmp(addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0) {
        return ngx_sprintf(dst, "%ud.%ud.%ud.%ud", addr[12], addr[13],
                           addr[14], addr[15]);
    }

    if (inet_ntop(AF_INET6, addr, (char *) dst, KZ_IP_TEXT) == NULL) {
        return dst;
    }

    return dst + ngx_strlen(dst);
}
