
/*
 * E-mail addresses, URLs, IP addresses and names of hosts by the rules of
 * validator.js, which Kuzzle uses, with its default options.
 */

#include "api/kz_spec_int.h"
#include "util/kz_utf8.h"

#include <arpa/inet.h>


#define KZ_SPEC_URL_MAX     2083       /* UTF-16 units */
#define KZ_SPEC_USER_MAX    64
#define KZ_SPEC_DOMAIN_MAX  254
#define KZ_SPEC_LABEL_MAX   63

#define kz_spec_digit(c)  ((c) >= '0' && (c) <= '9')
#define kz_spec_alpha(c)  (((c) | 0x20) >= 'a' && ((c) | 0x20) <= 'z')


static ngx_uint_t kz_spec_ipv4(const u_char *p, size_t len);
static ngx_uint_t kz_spec_ipv6(const u_char *p, size_t len);
static ngx_uint_t kz_spec_fqdn(const u_char *p, size_t len);
static ngx_uint_t kz_spec_label(const u_char *p, size_t len);
static ngx_uint_t kz_spec_tld(const u_char *p, size_t len);
static ngx_uint_t kz_spec_wide(uint32_t c);
static ngx_uint_t kz_spec_space(uint32_t c);
static ngx_uint_t kz_spec_user(const u_char *p, size_t len);
static ngx_uint_t kz_spec_user_quoted(const u_char *p, size_t len);
static ngx_uint_t kz_spec_url_chars(const ngx_str_t *s);
static ngx_uint_t kz_spec_authority(const u_char *p, const u_char *end);
static ngx_uint_t kz_spec_port(const u_char *p, const u_char *end);


ngx_uint_t
kz_spec_ip(const u_char *p, size_t len)
{
    return kz_spec_ipv4(p, len) || kz_spec_ipv6(p, len);
}


static ngx_uint_t
kz_spec_ipv4(const u_char *p, size_t len)
{
    ngx_uint_t     n, digits, parts;
    const u_char  *end;

    end = p + len;

    for (parts = 1; /* void */ ; parts++, p++) {
        n = 0;

        for (digits = 0; p < end && kz_spec_digit(*p); digits++, p++) {
            n = n * 10 + (*p - '0');

            if (n > 255 || (digits == 1 && p[-1] == '0')) {
                return 0;
            }
        }

        if (digits == 0 || parts > 4) {
            return 0;
        }

        if (p == end) {
            return parts == 4;
        }

        if (*p != '.') {
            return 0;
        }
    }
}


/* With a zone, if there is one: "fe80::1%eth0". */

static ngx_uint_t
kz_spec_ipv6(const u_char *p, size_t len)
{
    char              text[INET6_ADDRSTRLEN];
    size_t            n;
    struct in6_addr   addr;

    for (n = 0; n < len && p[n] != '%'; n++) {
        if (p[n] == '\0' || n == sizeof(text) - 1) {
            return 0;
        }

        text[n] = p[n];
    }

    text[n] = '\0';

    if (inet_pton(AF_INET6, text, &addr) != 1) {
        return 0;
    }

    if (n == len) {
        return 1;
    }

    if (++n == len) {
        return 0;
    }

    for ( /* void */ ; n < len; n++) {
        if (!kz_spec_digit(p[n]) && !kz_spec_alpha(p[n]) && p[n] != '-'
            && p[n] != '.' && p[n] != ':')
        {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
kz_spec_fqdn(const u_char *p, size_t len)
{
    ngx_uint_t     parts;
    const u_char  *end, *dot;

    end = p + len;

    for (parts = 1; /* void */ ; parts++) {

        for (dot = p; dot < end && *dot != '.'; dot++) { /* void */ }

        if (!kz_spec_label(p, dot - p)) {
            return 0;
        }

        if (dot == end) {
            return parts > 1 && kz_spec_tld(p, dot - p);
        }

        p = dot + 1;
    }
}


static ngx_uint_t
kz_spec_label(const u_char *p, size_t len)
{
    uint32_t       c;
    ngx_uint_t     n;
    const u_char  *end;

    end = p + len;

    if (len == 0 || p[0] == '-' || end[-1] == '-') {
        return 0;
    }

    for (n = 0; p < end; n++) {
        c = kz_utf8_next(&p, end);

        if (c < 0x80 ? (!kz_spec_digit(c) && !kz_spec_alpha(c) && c != '-')
                     : (c < 0xa1 || c > 0xffff
                        || (c >= 0xff01 && c <= 0xff5e)))
        {
            return 0;
        }
    }

    return n <= KZ_SPEC_LABEL_MAX;
}


static ngx_uint_t
kz_spec_tld(const u_char *p, size_t len)
{
    uint32_t       c;
    ngx_uint_t     n;
    const u_char  *end;

    if (len >= 4 && (p[0] | 0x20) == 'x' && (p[1] | 0x20) == 'n') {

        /* the characters are those of a label, but ASCII */

        for (n = 2; n < len && p[n] < 0x80; n++) { /* void */ }

        if (n == len) {
            return 1;
        }
    }

    end = p + len;

    for (n = 0; p < end; n++) {
        c = kz_utf8_next(&p, end);

        if (c < 0x80 ? !kz_spec_alpha(c) : (c == 0xa9 || !kz_spec_wide(c))) {
            return 0;
        }
    }

    return n >= 2;
}


/* Characters beyond ASCII that are no private, no controls. */

static ngx_uint_t
kz_spec_wide(uint32_t c)
{
    return (c >= 0xa1 && c <= 0xd7ff) || (c >= 0xf900 && c <= 0xfdcf)
           || (c >= 0xfdf0 && c <= 0xffef);
}


/* \s of JavaScript */

static ngx_uint_t
kz_spec_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0xa0 || c == 0x1680
           || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029
           || c == 0x202f || c == 0x205f || c == 0x3000 || c == 0xfeff;
}


ngx_uint_t
kz_spec_email(const ngx_str_t *s)
{
    size_t  user, domain;

    for (user = s->len; user > 0 && s->data[user - 1] != '@'; user--) {
        /* void */
    }

    if (user == 0) {
        return 0;
    }

    domain = s->len - user;
    user--;

    if (user > KZ_SPEC_USER_MAX || domain > KZ_SPEC_DOMAIN_MAX
        || !kz_spec_fqdn(s->data + user + 1, domain))
    {
        return 0;
    }

    if (user && s->data[0] == '"') {
        return kz_spec_user_quoted(s->data, user);
    }

    return kz_spec_user(s->data, user);
}


static ngx_uint_t
kz_spec_user(const u_char *p, size_t len)
{
    uint32_t       c;
    ngx_uint_t     dot;
    const u_char  *end;

    dot = 1;
    end = p + len;

    while (p < end) {
        c = kz_utf8_next(&p, end);

        if (c == '.') {
            if (dot) {
                return 0;
            }

            dot = 1;
            continue;
        }

        dot = 0;

        if (c < 0x80 ? (!kz_spec_digit(c) && !kz_spec_alpha(c)
                        && (c == '\0' || strchr("!#$%&'*+-/=?^_`{|}~",
                                                (int) c) == NULL))
                     : !kz_spec_wide(c))
        {
            return 0;
        }
    }

    return !dot;
}


static ngx_uint_t
kz_spec_user_quoted(const u_char *p, size_t len)
{
    u_char         c;
    const u_char  *end;

    end = p + len - 1;

    if (len < 2 || *end != '"') {
        return 0;
    }

    for (p++; p < end; p++) {
        c = *p;

        if (c == '\\') {
            if (++p == end) {
                return 0;
            }

            c = *p;

            if (c == '\0' || c == '\n') {
                return 0;
            }

            continue;
        }

        if (c == '"' || c == '\0') {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
kz_spec_url(const ngx_str_t *s)
{
    size_t         len;
    ngx_uint_t     i;
    const u_char  *p, *end, *q;

    static const char  *schemes[] = { "http", "https", "ftp" };

    if (!kz_spec_url_chars(s)) {
        return 0;
    }

    p = s->data;
    end = p + s->len;

    if (s->len >= 7 && ngx_memcmp(p, "mailto:", 7) == 0) {
        return 0;
    }

    for (q = p; q < end && *q != '#' && *q != '?'; q++) { /* void */ }

    end = q;

    for (q = p; end - q >= 3 && ngx_memcmp(q, "://", 3) != 0; q++) {
        /* void */
    }

    if (end - q >= 3) {
        len = q - p;

        for (i = 0; i < 3; i++) {
            if (ngx_strlen(schemes[i]) == len
                && ngx_strncasecmp((u_char *) schemes[i], (u_char *) p, len)
                   == 0)
            {
                break;
            }
        }

        if (i == 3) {
            return 0;
        }

        p = q + 3;

    } else if (end - p >= 2 && p[0] == '/' && p[1] == '/') {
        return 0;
    }

    for (q = p; q < end && *q != '/'; q++) { /* void */ }

    return q > p && kz_spec_authority(p, q);
}


static ngx_uint_t
kz_spec_url_chars(const ngx_str_t *s)
{
    uint32_t       c;
    ngx_uint_t     n;
    const u_char  *p, *end;

    p = s->data;
    end = p + s->len;

    for (n = 0; p < end; n++) {
        c = kz_utf8_next(&p, end);

        if (c == '<' || c == '>' || kz_spec_space(c)) {
            return 0;
        }

        n += (c > 0xffff);
    }

    return n < KZ_SPEC_URL_MAX;
}


/* [user[:password]@]host[:port] */

static ngx_uint_t
kz_spec_authority(const u_char *p, const u_char *end)
{
    ngx_uint_t     colons;
    const u_char  *q;

    for (q = p; q < end && *q != '@'; q++) { /* void */ }

    if (q < end) {
        colons = 0;

        for ( /* void */ ; p < q; p++) {
            colons += (*p == ':');
        }

        if (colons > 1) {
            return 0;
        }

        p = q + 1;
    }

    if (p < end && *p == '[') {

        for (q = p; q < end && *q != ']'; q++) { /* void */ }

        if (q == end || !kz_spec_ipv6(p + 1, q - p - 1)) {
            return 0;
        }

        q++;

        return q == end || (*q == ':' && kz_spec_port(q + 1, end));
    }

    for (q = p; q < end && *q != ':'; q++) { /* void */ }

    if (q < end && !kz_spec_port(q + 1, end)) {
        return 0;
    }

    return kz_spec_ipv4(p, q - p) || kz_spec_fqdn(p, q - p);
}


static ngx_uint_t
kz_spec_port(const u_char *p, const u_char *end)
{
    ngx_uint_t  n;

    if (p == end) {
        return 0;
    }

    for (n = 0; p < end; p++) {

        if (!kz_spec_digit(*p)) {
            return 0;
        }

        n = n * 10 + (*p - '0');

        if (n > 65535) {
            return 0;
        }
    }

    return n > 0;
}
