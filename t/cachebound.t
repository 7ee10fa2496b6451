# The cache of responses stays within its size, whatever is asked for; who is
# still being sent a response that was evicted gets all of it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::MD5 qw(md5_hex);
use IO::Socket::INET;
use IO::Uncompress::Gunzip qw(gunzip);
use Socket qw(SOL_SOCKET SO_RCVBUF inet_aton sockaddr_in);
use Test::More;
use Time::HiRes qw(time);
use Cardfeed::Test;

my $t = Cardfeed::Test->new(workers => 1, listen => 'sndbuf=16k',
    http => "cardfeed_cache 64k;\nkeepalive_requests 1000000;",
    location => 'cardfeed_max_entries 2000;',
    server => 'add_header X-Cache $cardfeed_cache_status always;');

# Text that cannot be compressed to nothing: half its size with gzip.
sub noise {
    my ($seed, $bytes) = @_;
    return substr join('', map { md5_hex("$seed $_") } 1 .. $bytes / 32 + 1),
        0, $bytes;
}

# Ten topics with a card of 7 KB, one with a thousand of 1 KB.
for my $n (0 .. 9) {
    $t->card("t$n.md", {title => "t$n", date => '2020-01-01',
        topics => ["T $n"], excerpt => noise($n, 7000),
        webUrl => "https://example.org/t$n"});
}
for my $n (1 .. 1000) {
    $t->card("many/$n.md", {title => "m$n", topics => ['Many'],
        date => rfc3339(1_600_000_000 + $n), excerpt => noise("m$n", 1000),
        webUrl => "https://example.org/m$n"});
}
$t->start;

sub cached { $t->head(@_)->header('X-Cache') // 'none' }
sub topic { "/feeds/t-$_[0].rss" }

my $size = length $t->get(topic(0))->body;
cmp_ok $size, '>', 7000, 'a response has more than 7 KB';
cmp_ok $size, '<', 8000, 'and less than 8: with what it takes to keep it, seven fit';

# --- the least recently used leaves first

is cached(topic($_)), $_ ? 'MISS' : 'HIT', "t-$_ is new" for 0 .. 6;
is cached(topic($_)), 'HIT', "t-$_ is kept" for 0 .. 6;
is cached(topic(0)), 'HIT', 'the oldest is asked for';
is cached(topic(7)), 'MISS', 'an eighth';
is cached(topic($_)), 'HIT', "t-$_ is still there" for 2 .. 6, 0, 7;
is cached(topic(1)), 'MISS', 't-1 was the one to leave';
is cached(topic(2)), 'MISS', 'now t-2 was';
is cached(topic($_)), 'HIT', "t-$_ is still there" for 4 .. 6, 0, 7, 1, 2;

# other words count as a use of it, and take room
is cached(topic(4) . '?x=' . 'y' x 100), 'HIT', 'the oldest in other words';
is cached(topic(8)), 'MISS', 'another one';
is cached(topic(4)), 'HIT', 'it stays';
is cached(topic(5)), 'MISS', 'the next one left';
my $words = 'y' x 3900;
is cached(topic(5) . "?$_=$words"), 'HIT', "in long words $_" for 1 .. 9;
is scalar(grep { cached(topic($_)) eq 'HIT' } 5, 4, 8), 3,
    'others stay, as many as there is room for';

# so do encodings
for my $n (0 .. 9) {
    $t->get(topic($n), 'Accept-Encoding' => $_) for qw(gzip br);
}
is scalar(grep { cached(topic($_)) eq 'HIT' } 9, 8, 7), 3,
    'three with their encodings';
is cached(topic(5)), 'MISS', 'there is no room for as many';

# --- a response that is too large is sent all the same

my $big = '/feeds/many.rss?limit=100';
cached(topic($_)) for 1, 2, 3;
for my $round (1, 2) {
    my $res = $t->get($big);
    is $res->header('X-Cache'), 'BYPASS', "too large to keep, round $round";
    is length $res->body, $res->header('Content-Length'), 'all of it';
    is scalar(() = $res->body =~ /<item>/g), 100, 'all cards';
    my $zip = $t->get($big, 'Accept-Encoding' => 'gzip');
    is $zip->header('X-Cache'), 'BYPASS', 'gzip: neither';
    my $body = $zip->body;
    gunzip(\$body => \my $plain);
    is $plain, $res->body, 'the same';
}
is cached(topic($_)), 'HIT', "t-$_ did not make room for it" for 1, 2, 3;

# one that becomes too large by its encodings leaves, and nobody else with it
my $grows = '/feeds/many.rss?limit=40';
$size = length $t->get($grows)->body;
cmp_ok $size, '<', 65_000 - 2000, 'one that takes nearly all of the cache';
cmp_ok $size, '>', 45_000, 'to be exact';
is cached(topic(1)), 'MISS', 'it made room for itself';
is cached($grows), 'HIT', 'both are kept';
my $zip = $t->get($grows, 'Accept-Encoding' => 'gzip', 'If-None-Match' =>
    $t->get($grows)->header('ETag'));
is $zip->status, 304, 'a client that has it';
is cached($grows), 'HIT', 'nothing is compressed for that';
$zip = $t->get($grows, 'Accept-Encoding' => 'gzip');
is $zip->header('X-Cache'), 'HIT', 'and compressed';
is length $zip->body, $zip->header('Content-Length'), 'all of it';
is cached(topic(1)), 'HIT', 'nobody else left for that';
is cached($grows), 'MISS', 'but itself, as it was too much';

# --- who is still being sent one that was evicted

sub configure {
    my ($size) = @_;

    my %old = map { $_ => 1 } $t->workers;
    $t->{http} =~ s/cardfeed_cache \w+/cardfeed_cache $size/ or die;
    $t->reload;
    wait_for(sub { !grep { $old{$_} } $t->workers }, 'the old worker ends');
}

# Asks for something, and reads none of it.
sub slow {
    my ($uri, $coding) = @_;

    socket my $socket, Socket::PF_INET(), Socket::SOCK_STREAM(), 0 or die $!;
    setsockopt $socket, SOL_SOCKET, SO_RCVBUF, pack 'i', 4096 or die $!;
    connect $socket, sockaddr_in($t->port, inet_aton('127.0.0.1')) or die $!;
    syswrite $socket, "GET $uri HTTP/1.1\r\nHost: x\r\n"
        . "Accept-Encoding: $coding\r\nConnection: close\r\n\r\n" or die $!;
    # the first byte is there: the worker is at it, and cannot go on
    sysread $socket, my $first, 1 or die $!;
    return [$socket, $first];
}

sub rest {
    my ($slow) = @_;

    my ($socket, $all) = @$slow;
    1 while sysread $socket, $all, 65_536, length $all;
    return Cardfeed::Response->new($all);
}

configure('4m');
my $whole = '/feeds/many.rss?limit=1000';
my %want = map { $_ => $t->get($whole, 'Accept-Encoding' => $_)->body }
    qw(identity gzip br);
is cached($whole), 'HIT', 'a large one is kept';
cmp_ok length $want{$_}, '>', 400_000, "its $_ is large" for sort keys %want;
my @slow = map { [$_, slow($whole, $_)] } qw(identity gzip br identity);
for my $limit (990 .. 999) {
    my $res = $t->get("/feeds/many.rss?limit=$limit",
        'Accept-Encoding' => $limit % 2 ? 'gzip' : 'br');
    is $res->header('X-Cache'), 'MISS', "others: $limit";
}
is cached($whole), 'MISS', 'it was evicted';
# and so it is when a card of it changes
push @slow, map { [$_, slow($whole, $_)] } qw(identity gzip);
$t->card('many/1000.md', {title => 'changed', topics => ['Many'],
    date => rfc3339(1_600_001_000), webUrl => 'https://example.org/m1000'});
$t->wait_titles('many', qr/changed/, 'a card changed');
is cached($whole), 'MISS', 'it was made anew';
is cached("/feeds/many.rss?limit=$_"), 'MISS', "others: $_" for 980 .. 989;
# or when the worker is to end
$t->reload;
for my $case (@slow) {
    my ($coding, $slow) = @$case;
    my $res = rest($slow);
    is $res->header('Content-Encoding') // 'identity', $coding,
        "a slow reader: $coding";
    is $res->header('Content-Length'), length $want{$coding}, 'its length';
    ok $res->body eq $want{$coding}, 'its very bytes';
}

# --- a hundred thousand of everything

configure('4m');

# What a worker has in memory, the pages of the index included, in KB.
sub memory {
    my ($pid) = $t->workers;
    return slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+) kB/m && $1;
}

# Requests in a row over a few connections; how many had that answer.
sub flood {
    my ($n, $uri, $answer) = @_;

    my @connections = map { $t->connection } 1 .. 4;
    my ($sent, $right) = (0, 0);
    while ($sent < $n) {
        for my $c (@connections) {
            my $all = '';
            $all .= 'HEAD ' . $uri->($sent++) . " HTTP/1.1\r\nHost: x\r\n\r\n"
                for 1 .. 50;
            $c->syswrite($all) == length $all or die 'a short write';
        }
        for my $c (@connections) {
            my ($all, $ends) = ('', 0);
            while ($ends < 50) {
                $c->sysread($all, 65_536, length $all) or return $right;
                $ends = () = $all =~ /\r\n\r\n/g;
            }
            $right += () = $all =~ /^X-Cache: $answer\r$/mg;
        }
    }
    return $right;
}

# all pages of the index have been looked at, all buffers have been large
$t->get($whole, 'Accept-Encoding' => $_) for qw(identity gzip br);
my $start = memory();
note "$start kB at the start";
my @floods = (
    ['cursors', 'MISS', 100_000, sub { sprintf
        '/feeds/t-1.rss?limit=1&before=%d.0123456789abcdef',
        1_600_000_000 + $_[0] }],
    ['arguments', 'HIT', 100_000, sub { "/feeds/t-2.rss?utm_source=$_[0]" }],
    ['long arguments', 'HIT', 20_000,
        sub { "/feeds/t-3.rss?$_[0]=" . 'x' x 900 }],
    ['filters', 'MISS', 20_000, sub { "/feeds/t-4.json?author=a$_[0]" }],
    ['pages of topics', 'BYPASS', 10_000, sub { "/feeds/?from=a$_[0]" }],
    ['months without cards', 'BYPASS', 10_000, sub { sprintf
        '/feeds/t-5.rss?month=%04d-%02d', 1 + $_[0] / 12, 1 + $_[0] % 12 }],
    ['large responses', 'MISS', 2_000,
        sub { sprintf '/feeds/many.rss?limit=100&before=%d.0123456789abcdef',
            1_600_001_000 + $_[0] }],
);
cached(topic($_)) for 2, 3;
for my $flood (@floods) {
    my ($what, $answer, $n, $uri) = @$flood;
    my $begun = time;
    cmp_ok flood($n, $uri, $answer), '>=', $n - 4, "$n $what: $answer";
    my $grown = memory() - $start;
    cmp_ok $grown, '<', 3 * 4096, "$n $what: all within the bound";
    note sprintf '%d %s: %d kB more, %.1f s', $n, $what, $grown,
        time - $begun;
}
is cached(topic(1)), 'MISS', 'after that';
is cached(topic(1)), 'HIT', 'it still works';

# --- nothing is kept

configure('0');
for my $round (1, 2) {
    my $res = $t->get(topic(1), 'Accept-Encoding' => 'gzip');
    is $res->header('X-Cache'), 'BYPASS', 'a cache of no size';
    my $body = $res->body;
    gunzip(\$body => \my $plain);
    is $plain, $t->get(topic(1))->body, 'and right';
}

$t->finish;
