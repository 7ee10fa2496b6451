# HTTP/2 without TLS, by curl: whole bodies, HEAD, 304, encodings, many
# streams of one connection at once.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();
use Test::More;
use Cardfeed::Feed;
use Cardfeed::Response;
use Cardfeed::Test;

plan skip_all => 'curl is missing or knows no HTTP/2 ("make deps-test")'
    if `curl --version 2>/dev/null` !~ /^Features:.*\bHTTP2\b/m;

my $t = Cardfeed::Test->new(http => <<'CONF');
cardfeed_base_url https://example.org;
server {
    listen unix:{{DIR}}/h2 http2;
    location /feeds/ {
        cardfeed news;
    }
    location /slow/ {
        cardfeed news;
        limit_rate 200k;
    }
}
CONF
plan skip_all => 'nginx has no http_v2 module' if !$t->has('v2');

for my $n (1 .. 60) {
    $t->card(sprintf('%02d.md', $n), {title => "card-$n",
        date => sprintf('2021-%02d-%02d', 1 + int($n / 28), 1 + $n % 28),
        topics => ['A', $n % 2 ? 'C#' : 'B'],
        excerpt => join(' ', map { $_ * $n } 1 .. 80),
        webUrl => "https://example.org/$n"});
}
$t->start;
wait_for(sub { $t->get('/feeds/all.opml')->header('Last-Modified') },
    'the last change is past');

sub curl {
    my (@args) = @_;

    my $pid = open(my $out, '-|') // die $!;
    if (!$pid) {
        open STDERR, '>', '/dev/null';
        exec 'curl', '-q', '-s', '-g', '--max-time', 20,
            '--http2-prior-knowledge', '--unix-socket', $t->dir . '/h2', @args
            or POSIX::_exit(127);
    }
    binmode $out;
    local $/;
    my $bytes = <$out> // '';
    close $out;
    return $bytes;
}

sub h2 {
    my ($method, $uri, %header) = @_;

    my $bytes = curl('-i', ($method eq 'HEAD' ? '-I' : ('-X', $method)),
        (map { ('-H', "$_: $header{$_}") } sort keys %header),
        "http://localhost$uri");
    ok $bytes =~ s{^HTTP/2 (\d+) }{HTTP/1.1 $1 },
        "$method $uri: in HTTP/2";
    return Cardfeed::Response->new($bytes);
}

my @formats = qw(rss atom json html);
for my $uri ((map { "/feeds/a.$_" } @formats), '/feeds/', '/feeds/all.opml',
    '/feeds/csharp,b+!a.atom', '/feeds/a.rss?limit=500')
{
    my $one = $t->get($uri);
    my $two = h2('GET', $uri);
    is $two->status, 200, "$uri: 200" or next;
    ok $two->body eq $one->body, "$uri: the bytes of HTTP/1.1";
    is $two->header($_), $one->header($_), "$uri: the same $_" for qw(ETag
        Link Content-Type Cache-Control Vary Content-Length Last-Modified);

    my $head = h2('HEAD', $uri);
    is $head->status, 200, "$uri: HEAD";
    is $head->body, '', "$uri: HEAD has no body";
    is $head->header('Content-Length'), length $one->body,
        "$uri: HEAD says how long it is";

    my $same = h2('GET', $uri, 'If-None-Match' => $one->header('ETag'));
    is $same->status, 304, "$uri: 304";
    is $same->body, '', "$uri: 304 has no body";
    is $same->header($_), $one->header($_), "$uri: 304 has $_"
        for qw(ETag Cache-Control Vary Link);
}

# --- encodings

my $plain = $t->get('/feeds/a.rss?limit=60')->body;
for my $encoding (qw(gzip br)) {
    my $uri = '/feeds/a.rss?limit=60';
    my $res = h2('GET', $uri, 'Accept-Encoding' => $encoding);
    is $res->header('Content-Encoding'), $encoding, $encoding;
    is $res->header('Content-Length'), length $res->body,
        "$encoding: its length";
    cmp_ok length $res->body, '<', length($plain) / 2, "$encoding: is small";
    ok curl('--compressed', '-H', "Accept-Encoding: $encoding",
        "http://localhost$uri") eq $plain, "$encoding: the same feed";
}

# --- what is refused

for my $case (['GET', '/feeds/nothing.rss', 404],
    ['GET', '/feeds/a.rss?limit=x', 400], ['POST', '/feeds/a.rss', 405],
    ['DELETE', '/feeds/a.rss', 405], ['OPTIONS', '/feeds/', 405])
{
    my ($method, $uri, $status) = @$case;
    my $res = h2($method, $uri);
    is $res->status, $status, "$method $uri: $status";
    is $res->header('Allow'), $status == 405 ? 'GET, HEAD' : undef,
        "$method $uri: Allow";
    is $res->header('ETag'), undef, "$method $uri: no ETag";
}

# --- many streams of one connection at once, through narrow windows: bytes
# that they share are sent in pieces.  (curl of Debian 12 cannot.)

sub frame {
    my ($type, $flags, $stream, $payload) = @_;
    return substr(pack('N', length $payload), 1)
        . pack('CCN', $type, $flags, $stream) . $payload;
}

# path → its body, of streams that all begin at once
sub streams {
    my ($window, @paths) = @_;

    my ($DATA, $HEADERS, $SETTINGS, $GOAWAY, $UPDATE) = (0, 1, 4, 7, 8);
    my $socket = IO::Socket::UNIX->new(Peer => $t->dir . '/h2') or die $!;
    my $out = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        . frame($SETTINGS, 0, 0, pack('nN', 4, $window));
    my (%path, %body);
    for my $path (@paths) {
        my $stream = 2 * keys(%path) + 1;
        $path{$stream} = $path;
        # GET, http, then :path and :authority as literals
        $out .= frame($HEADERS, 5, $stream, "\x82\x86"
            . "\x04" . pack('C/a', $path) . "\x01" . pack('C/a', 'localhost'));
    }
    $socket->syswrite($out);

    my ($in, $left) = ('', scalar @paths);
    my $select = IO::Select->new($socket);
    while ($left && $select->can_read(10)) {
        $socket->sysread($in, 65_536, length $in) or last;
        while (length $in >= 9) {
            my $len = unpack 'N', "\0" . substr $in, 0, 3;
            last if length $in < 9 + $len;
            my ($type, $flags, $stream) = unpack 'CCN', substr $in, 3, 6;
            my $payload = substr substr($in, 0, 9 + $len, ''), 9;
            $left = 0 if $type == $GOAWAY;
            $left-- if $type <= $HEADERS && $flags & 1;
            next if $type != $DATA || !$len;
            $body{$path{$stream}} .= $payload;
            $socket->syswrite(join '', map {
                frame($UPDATE, 0, $_, pack 'N', $len) } 0, $stream);
        }
    }
    return \%body;
}

my %want;
for my $n (0 .. 39) {
    my $path = '/feeds/' . ('a', 'b', 'csharp', 'all')[$n % 4] . '.'
        . $formats[$n / 4 % 4] . '?limit=' . (60 - int $n / 16);
    $want{$path} = $t->get($path)->body;
}
for my $window (500, 65_535) {
    my $have = streams($window, sort keys %want);
    is_deeply [grep { ($have->{$_} // '') ne $want{$_} } sort keys %want], [],
        "40 streams, a window of $window: each has its own feed, whole";
}

$t->finish;
