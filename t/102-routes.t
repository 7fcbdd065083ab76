# Every row of the route tables resolves to its action and placeholders, and
# what server:publicApi advertises suits the SDKs that choose from it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::Nginx::Kuzzle;
use Test::Nginx::Http qw(parse_response);
use Test::Nginx::Kuzzle::WS;

our (@requests, @replies, @headers, %seen, %rows);

for my $generation (1, 2) {
    open my $fh, '<', "t/data/routes-v$generation.tsv" or die $!;
    <$fh>;
    while (<$fh>) {
        chomp;
        my ($verb, $path, $controller, $action, $deprecated) = split /\t/;
        $controller = 'ms' if $controller eq 'memoryStorage';
        push @{ $rows{$generation}{"$controller:$action"} },
            { verb => $verb, url => $path };

        my $url = $path =~ s{:(\w+)}{value($1)}ger;
        next if $seen{"$generation $verb $url"}++;
        push @requests, "$verb $url";
        my %expect = (controller => $controller, action => $action);
        $expect{index} = 'an-index' if $path =~ m{:index\b};
        $expect{collection} = 'a-collection' if $path =~ m{:collection\b};
        # a raw answer names neither; what nginx was told does
        %expect = (openapi => '*string')
            if "$controller:$action" eq 'server:openapi';
        # this one is no JSON
        push @replies, "$controller:$action" eq 'document:export' ? undef
            : \%expect;
        push @headers, 'X-Place: ' . join('/', $controller, $action,
            $expect{index} || '', $expect{collection} || '',
            $path =~ m{:_id\b} ? 'the_id' : '', '') . "\n";
    }
}

sub value {
    my ($name) = @_;
    return { index => 'an-index', collection => 'a-collection' }->{$name}
        || "the$name";
}

add_block_preprocessor(sub {
    my ($block) = @_;
    return unless $block->name =~ /552/;
    $block->set_value('request', [@main::requests]);
    $block->set_value('kuzzle_reply', [@main::replies]);
    $block->set_value('response_headers', [@main::headers]);
    $block->set_value('error_code_like', [map { qr/^\d+$/ } @main::requests]);
});


# "sdks: 1": what SDK 6 and SDK 7 choose from publicApi, by their own rules.

Test::Nginx::Socket::add_block_action(sdks => sub {
    my ($block, $server) = @_;

    my $socket = Test::Nginx::Kuzzle::WS->dial(port => $server->port);
    $socket->send_raw("GET /_publicApi HTTP/1.1\r\nHost: localhost\r\n"
        . "Connection: close\r\n\r\n");
    my ($res) = parse_response($socket->read_all(5));
    my $api = JSON::PP::decode_json($res->content)->{result};

    my ($n, @unknown, @lost, @moved);

    for my $controller (sort keys %$api) {
        next if $controller eq 'memoryStorage';

        for my $action (sort keys %{ $api->{$controller} }) {
            my $http = $api->{$controller}{$action}{http} || [];
            $n += @$http;

            for my $route (@$http) {
                push @unknown, "$route->{verb} $route->{url}"
                    unless $controller =~ m{/} || grep {
                        text($_) eq text($route)
                    } map { @{ $rows{$_}{"$controller:$action"} || [] } } 1, 2;
            }
        }
    }

    is($n, 287 + 2, 'as many routes as the recipe says, and the plugin\'s');
    is("@unknown", '', 'each is one of that action');

    for my $name (sort keys %{ $rows{1} }) {
        my ($c, $a) = split /:/, $name;
        push @lost, $name if !defined sdk_6($api->{$c}{$a}{http});
    }

    is("@lost", '', 'SDK 6 finds a route for every action of 1.x');

    for my $name (sort keys %{ $rows{2} }) {
        my ($c, $a) = split /:/, $name;
        my $plain = sdk_7($name, $rows{2}{$name});
        my $ours = sdk_7($name, $api->{$c}{$a}{http});
        push @moved, "$name " . text($ours) if text($plain) ne text($ours);
    }

    is(join("\n", @moved), join("\n",
        'auth:credentialsExist GET /_me/credentials/:strategy/_exists',
        'auth:getMyCredentials GET /_me/credentials/:strategy',
        'document:mGet POST /:index/:collection/_mGet'),
        'SDK 7 chooses what it would of 2.x, with three harmless exceptions');
});

sub text {
    my ($route) = @_;
    return 'none' if !$route;
    return "$route->{verb} " . $route->{url} =~ s{(?<=.)/\z}{}r;
}

# The shortest URL; of equally long ones GET.

sub sdk_7 {
    my ($name, $http) = @_;

    return $http->[0]{verb} eq 'POST' ? $http->[0] : $http->[1]
        if $name eq 'document:search' && @$http > 1;
    my $get = (grep { $_->{verb} eq 'GET' } @$http)[-1] || $http->[0];
    return equally_long($http) ? $get : shortest($http);
}

# The shortest URL; of equally long ones POST, or none.

sub sdk_6 {
    my ($http) = @_;

    return $http->[0] if @$http == 1;
    return (grep { $_->{verb} eq 'POST' } @$http)[0] if equally_long($http);
    return shortest($http);
}

sub equally_long {
    my ($http) = @_;
    return !grep { length $_->{url} != length $http->[0]{url} } @$http;
}

sub shortest {
    my ($http) = @_;
    my $short = $http->[0];
    for (@$http) { $short = $_ if length $_->{url} < length $short->{url} }
    return $short;
}

run_tests();

__DATA__

=== TEST 1: all of the 552 rows
--- config
location / {
    kuzzle;
    add_header X-Place "$kuzzle_controller/$kuzzle_action/$kuzzle_index/$kuzzle_collection/$kuzzle_id/" always;
}
--- request eval
[]
--- kuzzle_reply eval
[]


=== TEST 2: a literal part wins over a placeholder, and there is no way back
--- request
GET /users/x/y
--- kuzzle_error: 404 network.http.url_not_found


=== TEST 3: empty parts and a trailing slash do not count
--- request
GET //_now//
--- kuzzle_reply
{"controller":"server","action":"now","status":200}


=== TEST 4: paths are case sensitive; the message has the path alone
--- request eval
["GET /_NOW", "GET /_NOW?pretty&a=/b/", "GET /a%20b/c/d/e/", "DELETE /?x"]
--- kuzzle_error
404 network.http.url_not_found ~^API URL not found: /_NOW\.$
404 network.http.url_not_found ~^API URL not found: /_NOW\.$
404 network.http.url_not_found ~^API URL not found: /a%20b/c/d/e\.$
404 network.http.url_not_found ~^API URL not found: \.$


=== TEST 5: a known action that is not there yet says so, by name
--- request
GET /ms/_ping
--- kuzzle_error: 501 api.process.not_implemented ~"ms":"ping"


=== TEST 6: publicApi has both names of the memory store
--- request
GET /_publicApi
--- kuzzle_reply
{"result":{"ms":{"get":{"http":[{"url":"/ms/:_id","verb":"GET"}]}},
 "memoryStorage":{"get":{"controller":"memoryStorage",
  "http":[{"url":"/ms/:_id","verb":"GET"}]}},
 "realtime":{"subscribe":{"-":["http"]}}}}


=== TEST 7: what the SDKs choose
--- sdks: 1


=== TEST 8: the password routes of the local strategy
--- request eval
["GET /_plugin/kuzzle-plugin-auth-passport-local/password/resetToken/joe",
 "POST /_plugin/kuzzle-plugin-auth-passport-local/password/reset\n{}",
 "GET /_plugin/kuzzle-plugin-auth-passport-local/password/reset"]
--- kuzzle_reply
{"status":501,"controller":"kuzzle-plugin-auth-passport-local/password","action":"getResetPasswordToken","node":"*string"}
{"status":501,"controller":"kuzzle-plugin-auth-passport-local/password","action":"reset","error":{"id":"api.process.not_implemented"}}
{"status":404}


=== TEST 9: HEAD / has the default headers and no body, OPTIONS any path
--- request eval
["HEAD /", "HEAD /_now", "OPTIONS /", "OPTIONS /a/b/c"]
--- error_code eval
[200, 404, 200, 200]
--- response_headers eval
["Access-Control-Allow-Methods: GET,POST,PUT,DELETE,OPTIONS,HEAD\nContent-Type: application/json", "", "", ""]
--- kuzzle_reply
null
null
{"status":200,"result":{},"controller":null,"action":null}
{"status":200,"result":{}}


=== TEST 10: health: the process, then what it needs
--- request eval
["GET /_healthcheck", "GET /_ready", "POST /_ready", "GET /_healthcheck/x"]
--- error_code eval
[200, 200, 404, 404]
--- kuzzle_reply
{"status":200,"action":null,"controller":null,"error":null,"node":"*string"}
{"status":200,"action":null,"controller":null,"error":null,"node":"*string"}
{"status":404}
null


=== TEST 11: the API described as 1.x did, raw
--- request eval
["GET /swagger.json", "GET /swagger.yml"]
--- response_headers eval
["Content-Type: application/json", "Content-Type: application/yaml"]
--- kuzzle_reply
{"openapi":"~^3","paths":{"/_now":{}},"-":["requestId","controller"]}
null
--- response_body_like eval
[qr/^\{/, qr/^openapi: /m]


=== TEST 12: other verbs, also on routes, are refused by name
--- raw_request eval
["PROPFIND /_now HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"]
--- error_code: 400
--- response_body_like: Unsupported HTTP verb \\"PROPFIND\\"


=== TEST 13: a wrong verb is an unknown route, or another action
--- request eval
["POST /_now", "PATCH /_now", "DELETE /_now"]
--- kuzzle_reply
{"status":404,"error":{"id":"network.http.url_not_found"}}
{"status":404}
{"status":412,"controller":"index","action":"delete","index":"_now"}
