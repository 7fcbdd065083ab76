# WebSocket: the handshake, messages, bad frames, bad queries.  How a socket
# ends is 220, TLS is 230.

use Test::Nginx::Kuzzle;

our $key = 'dGhlIHNhbXBsZSBub25jZQ==';       # of RFC 6455, 1.3

# A handshake as bytes; what is given replaces what would do.

sub handshake {
    my ($line, @replace) = @_;
    my %h = (Upgrade => 'websocket', Connection => 'Upgrade',
        'Sec-WebSocket-Version' => 13, 'Sec-WebSocket-Key' => $main::key,
        @replace);
    return join "\r\n", $line || 'GET / HTTP/1.1', 'Host: localhost',
        (map { "$_: $h{$_}" } grep { defined $h{$_} } sort keys %h), '', '';
}

# Lines that many blocks begin and end with.

our %macro = (
    ALIVE => join("\n",
        'open alive',
        'alive> {"controller":"server","action":"now","requestId":"alive"}',
        'alive< {"room":"alive","status":200}', ''),
    NOW => '{"controller":"server","action":"now","requestId":"n"}',
);

add_block_preprocessor(sub {
    my ($block) = @_;
    my $ws = $block->ws;
    return unless defined $ws;
    $ws =~ s/^ALIVE\n/$main::macro{ALIVE}/mg;
    $ws =~ s/\bNOW\b/$main::macro{NOW}/g;
    $block->set_value('ws', $ws);
});

# Bytes on a connection, all that comes back until its end, and what the
# access log has then.

Test::Nginx::Socket::add_block_action(raw_tcp => sub {
    my ($block, $server) = @_;

    my $client = Test::Nginx::Kuzzle::WS->dial(port => $server->port);
    $client->send_raw($block->raw_tcp);
    my $got = $client->read_all(3);

    like($got, $block->raw_tcp_like, $block->name . ' - bytes');

    return if !defined $block->access_log_is;

    open my $fh, '<', $server->root . '/logs/ws.log' or die $!;
    is(join('', <$fh>), $block->access_log_is, $block->name . ' - log');
});

run_tests();

__DATA__

=== TEST 1: the handshake of RFC 6455, 1.3, and nothing after it but frames
--- raw_request eval
main::handshake() . "\x88\x80\0\0\0\0"
--- error_code: 101
--- raw_response_headers_like eval
qr/\AHTTP\/1\.1 101 Switching Protocols\r\n(?!.*(?:Content-Length|Transfer-Encoding|Content-Type|Sec-WebSocket-Extensions|Sec-WebSocket-Protocol)).*Connection: upgrade\r\n/s
--- response_headers
Upgrade: websocket
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
--- ignore_response


=== TEST 2: the first subprotocol that is named is echoed, extensions are not
--- raw_request eval
main::handshake('', 'Sec-WebSocket-Protocol' => 'kuzzle.v2, other',
    'Sec-WebSocket-Extensions' => 'permessage-deflate; client_max_window_bits')
. "\x88\x80\0\0\0\0"
--- error_code: 101
--- response_headers
Sec-WebSocket-Protocol: kuzzle.v2
Sec-WebSocket-Extensions:
--- ignore_response


=== TEST 3: header names and tokens in any case, Connection with more tokens
--- ws
open a header="Upgrade: WebSocket" header="Connection: keep-alive, UPGRADE"
a> NOW
a< {"status":200}


=== TEST 4: on any path, with a query string
--- ws
open a path=/some/where?x=%20y
a> NOW
a< {"status":200}


=== TEST 5: a version we do not speak is refused with the one we do
--- raw_request eval
main::handshake('', 'Sec-WebSocket-Version' => 8)
--- error_code: 426
--- response_headers
Sec-WebSocket-Version: 13
Upgrade: websocket
--- response_body
Sec-WebSocket-Version must be 13


=== TEST 6: no version at all
--- raw_request eval
main::handshake('', 'Sec-WebSocket-Version' => undef)
--- error_code: 400
--- response_headers
Sec-WebSocket-Version: 13
--- response_body
Sec-WebSocket-Version must be 13


=== TEST 7: keys that are not 16 bytes of base64
--- ws
open a status=400 header="Sec-WebSocket-Key:"
open a status=400 header="Sec-WebSocket-Key: abc"
open a status=400 header="Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ="
open a status=400 header="Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==="
open a status=400 header="Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWE="
open a status=400 header="Sec-WebSocket-Key: dGhlIHNhbXBs!SBub25jZQ=="
open a status=400 header="Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" header="Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
ALIVE


=== TEST 8: no Connection header, HTTP/1.0, a body
--- ws
open a status=400 header="Connection: keep-alive"
open a status=400 header="Content-Length: 3" + raw
ALIVE


=== TEST 9: HTTP/1.0 has no WebSockets
--- raw_request eval
main::handshake('GET / HTTP/1.0')
--- error_code: 400
--- response_body
a websocket handshake needs HTTP/1.1


=== TEST 10: other methods and other upgrades are plain HTTP
--- raw_request eval
main::handshake('POST /_now HTTP/1.1', Connection => 'close',
    'Content-Length' => 0)
--- error_code: 404
--- kuzzle_reply
{"status":404}


=== TEST 11: an upgrade to something else is ignored
--- raw_request eval
main::handshake('GET /_now HTTP/1.1', Upgrade => 'h2c', Connection => 'close')
--- kuzzle_reply
{"action":"now","status":200}


=== TEST 12: messages in the packet of the handshake are answered, in order
--- ws
open a + {"controller":"server","action":"now","requestId":"first"}
a< {"room":"first","status":200}
a> NOW
a< {"room":"n"}


=== TEST 13: a handshake behind a request, and messages behind that, in one packet
--- raw_tcp eval
"GET /_now HTTP/1.1\r\nHost: localhost\r\n\r\n" . main::handshake()
. "\x81\x87\0\0\0\0{\"p\":1}" . "\x88\x80\0\0\0\0"
--- raw_tcp_like eval
qr/\AHTTP\/1\.1 200 .*"action":"now".*HTTP\/1\.1 101 .*\r\n\r\n\x81\x07\{"p":2\}\x88\x00\z/s


=== TEST 14: no more sockets than kuzzle_max_connections, and one again after one has left
--- config
location / {
    kuzzle;
    kuzzle_max_connections 2;
}
--- ws
open a worker=0
open b worker=0
open c worker=0 status=503
close a
sleep 0.1
open c worker=0
c> NOW
c< {"status":200}
b> NOW
b< {"status":200}
log /no more than 2 websockets/


=== TEST 15: answers name their room: the requestId, or one that we make
--- ws
open a
a> {"controller":"server","action":"now","requestId":"q"}
a< {"requestId":"q","room":"q"}
a> {"controller":"server","action":"now"}
a< {"requestId":"~^[-0-9a-f]{36}$","room":"~^[-0-9a-f]{36}$"}
a> {"controller":"server","action":"now","requestId":"q2","volatile":{"sdkName":"js@7.0.0"}}
a< /,"requestId":"q2",.*"room":"q2"\}$/


=== TEST 16: the application ping is answered in both generations, however it is spaced
--- ws
open a
a> {"p":1}
a< text {"p":2}
a> text hex:7b0a20227022093a2031207d0d0a
a< text {"p":2}
a> {"controller":"server","action":"now","requestId":"q","volatile":{"sdkName":"js@7.0.0"}}
a< {"room":"q"}
a> {"p":1}
a< text {"p":2}
a> {"p":2}
a< {"status":400}


=== TEST 17: binary frames are queries, their answers are text
--- ws
open a
a> bin {"controller":"server","action":"now","requestId":"b"}
a< {"room":"b","status":200}
a> bin {"p":1}
a< text {"p":2}


=== TEST 18: empty messages get no answer
--- ws
open a
a> text
a> bin
a> frame opcode=1 fin=0 payload=
a> frame opcode=0 payload=
a! 0.1
a> NOW
a< {"status":200}


=== TEST 19: fragments of any size, and a message byte by byte
--- ws
open a
a> frag=1 {"controller":"server","action":"now","requestId":"f1"}
a< {"room":"f1"}
a> frag=7 {"controller":"server","action":"now","requestId":"f7"}
a< {"room":"f7"}
a> bytes=1 {"controller":"server","action":"now","requestId":"é"}
a< {"room":"é"}
a> frag=3 bytes=1 {"controller":"server","action":"now","requestId":"é€😀"}
a< {"room":"é€😀"}


=== TEST 20: pings inside a fragmented message are answered at once
--- ws
open a
a> frame opcode=1 fin=0 payload={"controller":"server","act
a> ping between
a< pong between
a> frame opcode=0 fin=0 payload=ion":"now","requestId"
a> ping again
a> pong nobody asked
a< pong again
a! 0.1
a> frame opcode=0 payload=:"whole"}
a< {"room":"whole","status":200}


=== TEST 21: a pong carries what the ping did, up to 125 bytes
--- ws
open a
a> ping
a< pong
a> ping <<repeat:125:p>>
a< pong <<repeat:125:p>>
a> ping hex:00ff80
a< pong hex:00ff80


=== TEST 22: a message with length fields of 16 and 64 bits, up to the limit
--- ws
open a
a> {"controller":"server","action":"now","requestId":"m","x":"<<repeat:200:x>>"}
a< {"room":"m"}
a> {"controller":"server","action":"now","requestId":"m2","x":"<<repeat:70000:x>>"}
a< {"room":"m2"}
a> frame opcode=1 wide=8 payload={"controller":"server","action":"now","requestId":"m3"}
a<close 1002
open a
a> {"controller":"server","action":"now","requestId":"m4","x":"<<repeat:1048000:x>>"}
a< {"room":"m4"}


=== TEST 23: frames of a client must be masked
--- ws
open a
a> frame opcode=1 mask=0 payload={"p":1}
a<close 1002
a<eof
open a
a> frame opcode=9 mask=0 payload=x
a<close 1002
a<eof
open a
a> frame opcode=1 mask=hex:00000000 payload={"p":1}
a< text {"p":2}
ALIVE


=== TEST 24: reserved bits and opcodes
--- ws
open a
a> frame opcode=1 rsv=4 payload={"p":1}
a<close 1002
a<eof
open a
a> frame opcode=1 rsv=1 payload={"p":1}
a<close 1002
open a
a> frame opcode=9 rsv=2 payload=
a<close 1002
open a
a> frame opcode=3 payload=x
a<close 1002
open a
a> frame opcode=11 payload=x
a<close 1002
ALIVE


=== TEST 25: continuations of nothing, a message inside a message
--- ws
open a
a> frame opcode=0 payload=x
a<close 1002
a<eof
open a
a> frame opcode=1 fin=0 payload={"controller":"serv
a> {"p":1}
a<close 1002
a<eof
open a
a> frag=1 {"p":1}
a< text {"p":2}
a> frame opcode=0 payload=
a<close 1002
ALIVE


=== TEST 26: control frames are neither fragmented nor over 125 bytes
--- ws
open a
a> frame opcode=9 fin=0 payload=x
a<close 1002
open a
a> frame opcode=9 payload=<<repeat:126:x>>
a<close 1002
open a
a> frame opcode=8 payload=<<repeat:126:x>>
a<close 1002
ALIVE


=== TEST 27: text that is not UTF-8: wrong bytes, surrogates, too long, cut off
--- ws
open a
a> text hex:7b22ff227d
a<close 1007
a<eof
open a
a> text hex:22eda08022
a<close 1007
open a
a> text hex:22c08022
a<close 1007
open a
a> text hex:22f490808022
a<close 1007
open a
a> text hex:22e282
a<close 1007
ALIVE


=== TEST 28: UTF-8 across fragments: right, wrong, and wrong before the message ends
--- ws
open a
a> frame opcode=1 fin=0 payload=hex:7b2272657175657374496422203a2022e2
a> ping p
a< pong p
a> frame opcode=0 fin=0 payload=hex:82
a> frame opcode=0 payload=hex:ac222c22636f6e74726f6c6c6572223a22736572766572222c22616374696f6e223a226e6f77227d
a< {"room":"€","status":200}
a> frame opcode=1 fin=0 payload=hex:22e282
a> frame opcode=0 payload=hex:22
a<close 1007
a<eof
open a
a> frame opcode=1 fin=0 payload=hex:22f09f
a> frame opcode=0 fin=0 payload=hex:41
a<close 1007
ALIVE


=== TEST 29: bytes that are not UTF-8 in a binary message are a malformed query
--- ws
open a
a> bin hex:7b2261223a22ff227d
a< {"status":400,"error":{"id":"network.websocket.unexpected_error"}}
a> NOW
a< {"status":200}


=== TEST 30: close codes: echoed when they may be sent, 1002 when not
--- ws
open a
a> close 1000 bye
a<close 1000
a<eof
open a
a> close 1001
a<close 1001
open a
a> close 3000
a<close 3000
open a
a> close 4999
a<close 4999
open a
a> close
a<close 1005
a<eof
open a
a> close 1005
a<close 1002
open a
a> close 1006
a<close 1002
open a
a> close 999
a<close 1002
open a
a> close 1004
a<close 1002
open a
a> close 2999
a<close 1002
open a
a> close 5000
a<close 1002
open a
a> frame opcode=8 payload=x
a<close 1002
open a
a> frame opcode=8 payload=hex:03e8ff
a<close 1007
ALIVE


=== TEST 31: what follows a close frame is not served
--- ws
open a auto=0
a> raw hex:88800000000081870000000070
a<close 1005
a<eof
open a
a> NOW
a> close 1000
a< {"status":200}
a<close 1000
a<eof


=== TEST 32: too large: 1009, from the frame's header alone, and the worker lives
--- config
location / {
    kuzzle;
    kuzzle_max_request_size 1k;
}
--- ws
open keep
open a worker=0
open other apart=a
a> text <<repeat:1024:x>>
a< {"status":400}
a> text <<repeat:1025:x>>
a<close 1009
a<eof
open a worker=0
a> frame opcode=1 len=1000000 payload=x
a<close 1009
open a worker=0
a> raw hex:81ffffffffffffffffff00000000
a<close 1002
open a worker=0
a> raw hex:81ff7fffffffffffffff00000000
a<close 1009
open a worker=0
a> frame opcode=1 fin=0 payload=<<repeat:1000:x>>
a> frame opcode=0 fin=0 payload=<<repeat:25:x>>
a<close 1009
other> NOW
other< {"status":200}
keep> NOW
keep< {"status":200}
open a worker=0
a> NOW
a< {"status":200}


=== TEST 33: an oversized message that goes on and on
--- ws
open a
a> text <<repeat:3000000:x>>
a<close 1009
a<eof
ALIVE


=== TEST 34: a frame that never ends
--- ws
open a
a> frame opcode=1 len=100 payload={"controller":
fin a
a<gone
open a
a> frame opcode=1 len=100 payload={"controller":
drop a
ALIVE


=== TEST 35: malformed JSON (1)
--- ws
open a
a> text {"controller":
a< {"requestId":"~^[-0-9a-f]{36}$","status":400,"controller":null,
 "action":null,"collection":null,"index":null,"volatile":null,"result":null,
 "error":{"status":400,"id":"network.websocket.unexpected_error",
 "code":50528257,"message":"~^Caught an unexpected WebSocket error: "},
 "-":["room","node"]}
a> {"a":1,}
a< {"status":400,"error":{"id":"network.websocket.unexpected_error"}}
a> {"a":1} x
a< {"status":400,"error":{"id":"network.websocket.unexpected_error"}}
a> NOW
a< {"status":200}


=== TEST 36: malformed JSON (2)
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
open a
a> text {"controller":
a< {"action":null,"controller":null,"headers":{},"result":null,"status":400,
 "volatile":null,"requestId":"~^[-0-9a-f]{36}$","error":{"code":50528257,
 "id":"network.websocket.unexpected_error","status":400,"props":["*string"],
 "message":"~^Caught an unexpected WebSocket error: "},"-":["room"]}
a> NOW
a< {"status":200}


=== TEST 37: what is no object (1): 400, three members at most
--- ws
open a
a> text "hello"
a< /^\{"status":400,"error":\{"message":"Input request data must be a non-null object"\}\}$/
a> text [1,2]
a< /^\{"status":400,"error":\{"message":"Input request data must be a non-null object"\}\}$/
a> text 42
a< {"status":400}
a> text null
a< {"status":400}
a> NOW
a< {"status":200}


=== TEST 38: what is no object (2): 500
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
open a
a> text "hello"
a< {"action":null,"controller":null,"headers":{},"result":null,"status":500,
 "error":{"message":"Input request data must be a non-null object",
 "status":500,"-":["id","code","props"]},"-":["room"]}
a> text [1,2]
a< {"status":500}
a> NOW
a< {"status":200}


=== TEST 39: attributes of the wrong type (1): room, status, message
--- ws
open a
a> {"controller":"server","action":"now","volatile":"x","requestId":"g302"}
a< /^\{"room":"g302","status":400,"error":\{"message":"Attribute volatile must be of type \\"object\\""\}\}$/
a> {"controller":"document","action":"create","index":"nyc","collection":"open","body":"x","requestId":"g319"}
a< /^\{"room":"g319","status":400,"error":\{"message":"Attribute body must be of type \\"object\\""\}\}$/
a> {"controller":"server","action":"now","requestId":12}
a< /^\{"room":12,"status":400,"error":\{"message":"Attribute requestId must be of type \\"string\\""\}\}$/
a> {"controller":1,"action":"now","requestId":"c"}
a< /^\{"room":"c","status":400,"error":\{"message":"Attribute controller must be of type \\"string\\""\}\}$/
a> {"controller":"server","action":{},"requestId":"c"}
a< {"room":"c","error":{"message":"Attribute action must be of type \"string\""}}
a> {"controller":"server","action":"now","jwt":true,"requestId":"c"}
a< {"room":"c","error":{"message":"Attribute jwt must be of type \"string\""}}
a> {"controller":"server","action":"now","index":[],"requestId":"c"}
a< {"room":"c","error":{"message":"Attribute index must be of type \"string\""}}
a> {"controller":"server","action":"now","collection":5,"requestId":"c"}
a< {"room":"c","error":{"message":"Attribute collection must be of type \"string\""}}
a> {"controller":"server","action":"now","_id":5,"requestId":"c"}
a< {"room":"c","error":{"message":"Attribute _id must be of type \"string\""}}
a> {"controller":"server","action":"now","volatile":[],"requestId":"c"}
a< {"room":"c","error":{"message":"Attribute volatile must be of type \"object\""}}
a> NOW
a< {"status":200}


=== TEST 40: attributes of the wrong type (2): the envelope without a room
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
open a
a> {"controller":"server","action":"now","volatile":"x","requestId":"g328"}
a< {"action":null,"controller":null,"headers":{},"requestId":"g328","result":null,
 "status":400,"volatile":null,"error":{"status":400,
 "message":"Attribute volatile must be of type \"object\"",
 "-":["id","code","props"]},"-":["room","index","collection"]}
a> {"controller":"document","action":"create","index":"nyc","collection":"open","body":"x","requestId":"g345"}
a< {"requestId":"g345","status":400,"error":{
 "message":"Attribute body must be of type \"object\" or \"array\""},
 "-":["room","index","collection"]}
a> {"controller":"server","action":"now","requestId":12}
a< {"requestId":12,"status":400,"error":{
 "message":"Attribute requestId must be of type \"string\""},"-":["room"]}
a> NOW
a< {"status":200}


=== TEST 41: null stands for an attribute that is not there
--- ws
open a
a> {"controller":"server","action":"now","jwt":null,"volatile":null,"body":null,"index":null,"collection":null,"_id":null,"requestId":null}
a< {"status":200,"requestId":"*string","room":"*string","volatile":null}


=== TEST 42: 10,000 nested brackets are an error, not a crash
--- ws
open a
a> text <<repeat:10000:[>><<repeat:10000:]>>
a< {"status":400,"error":{"id":"network.websocket.unexpected_error"}}
a> {"controller":"server","action":"now","requestId":"d","body":<<repeat:10000:{"a":>>1<<repeat:10000:}>>}
a< {"status":400,"error":{"id":"network.websocket.unexpected_error"}}
a> {"controller":"server","action":"now","requestId":"d","x":<<repeat:100:[>><<repeat:100:]>>}
a< {"status":200,"room":"d"}
ALIVE


=== TEST 43: unknown controllers and actions (1)
--- config
location / {
    kuzzle;
    kuzzle_api 1;
}
--- ws
open a
a> {"controller":"server","action":"nope","requestId":"g316"}
a< {"requestId":"g316","status":404,"error":{"message":"Controller action \"nope\" not found.",
 "status":404,"id":"api.process.action_not_found","code":33685509},
 "controller":"server","action":"nope","result":null,"room":"g316"}
a> {"controller":"read","action":"get","index":"nyc","collection":"open","_id":"old","requestId":"g330"}
a< {"status":404,"error":{"message":"API controller \"read\" not found.",
 "status":404,"id":"api.process.controller_not_found","code":33685508},
 "index":"nyc","collection":"open","room":"g330"}
a> {"requestId":"none"}
a< {"status":404,"error":{"message":"API controller \"null\" not found.",
 "id":"api.process.controller_not_found"},"room":"none"}


=== TEST 44: unknown controllers and actions (2)
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
open a
a> {"controller":"server","action":"nope","requestId":"g342"}
a< {"requestId":"g342","status":404,"error":{"message":"API action \"server\":\"nope\" not found",
 "props":["server","nope"],"status":404,"id":"api.process.action_not_found",
 "code":33685509},"room":"g342"}
a> {"controller":"read","action":"get","requestId":"g356"}
a< {"status":404,"error":{"message":"API controller \"read\" not found.",
 "props":["read"],"id":"api.process.controller_not_found"},"room":"g356"}
a> {"requestId":"none"}
a< {"status":400,"error":{"id":"api.assert.missing_argument",
 "message":"Missing argument \"controller\"."},"room":"none"}
a> {"controller":"server","requestId":"none"}
a< {"status":400,"error":{"id":"api.assert.missing_argument",
 "message":"Missing argument \"action\"."},"room":"none"}


=== TEST 45: a session remembers the generation it spoke, others do not hear of it
--- ws
open a
open b
a> NOW
a< {"-":["node","headers"],"collection":null}
a> {"controller":"server","action":"now","requestId":"1","volatile":{"sdkName":"js@7.10.0"}}
a< {"headers":{},"-":["collection"]}
a> NOW
a< {"headers":{},"-":["collection"]}
a> text {"controller":
a< {"headers":{},"error":{"props":["*string"]}}
a> text 1
a< {"status":500,"headers":{}}
b> NOW
b< {"-":["node","headers"],"collection":null}
a> {"controller":"server","action":"now","requestId":"2","volatile":{"sdkName":"js@6.2.8"}}
a< {"-":["node","headers"],"collection":null}
a> NOW
a< {"-":["node","headers"],"collection":null}


=== TEST 46: a query with a token that cannot be verified is refused, the next is served
--- ws
open a
a> {"controller":"server","action":"now","jwt":"abc","requestId":"t"}
a< {"status":401,"error":{"id":"security.token.invalid"},"room":"t"}
a> NOW
a< {"status":200}


=== TEST 47: an action that is known but not there says so
--- ws
open a
a> {"controller":"security","action":"getUser","_id":"x","requestId":"n"}
a< {"status":501,"error":{"id":"api.process.not_implemented","code":33685744,
 "message":"~security.*getUser"},"room":"n"}


=== TEST 48: many queries in one packet are all answered
--- ws
open a
a> raw hex:<<repeat:500:8187000000007b2270223a317d>>
times 500 a< text {"p":2}
times 300 a> {"controller":"server","action":"now","requestId":"m$i"}
times 300 a<~ {"room":"m$i","status":200}


=== TEST 49: the access log has the handshake, once, when it is done
--- http_config
log_format t '$request $status';
access_log logs/ws.log t;
--- raw_tcp eval
main::handshake('GET /log/me HTTP/1.1') . "\x81\x87\0\0\0\0{\"p\":1}"
. "\x88\x80\0\0\0\0"
--- raw_tcp_like eval
qr/\x81\x07\{"p":2\}\x88\x00\z/
--- access_log_is
GET /log/me HTTP/1.1 101


=== TEST 50: repeated attributes: the last one counts, also when another was no string
--- ws
open a
a> {"controller":5,"controller":"server","action":"nope","action":"now","requestId":7,"requestId":"r","body":1,"body":{}}
a< {"room":"r","requestId":"r","status":200,"action":"now"}
a> {"controller":"server","controller":5,"action":"now","requestId":"r"}
a< {"room":"r","status":400}


=== TEST 51: a body that is an array is none in 1.x, and one in 2.x
--- ws
open a
a> {"controller":"server","action":"now","body":[],"requestId":"b"}
a< /^\{"room":"b","status":400,"error":\{"message":"Attribute body must be of type \\"object\\""\}\}$/
a> {"controller":"server","action":"now","body":[],"requestId":"b","volatile":{"sdkName":"js@7.0.0"}}
a< {"room":"b","status":200}
