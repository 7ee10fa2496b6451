# A cache that lives on while the index is replaced under it: by another
# worker, and in a single process by a reload.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::MD5 qw(md5_hex);
use Socket qw(SOL_SOCKET SO_RCVBUF inet_aton sockaddr_in);
use Test::More;
use Time::HiRes qw(time);
use Cardfeed::Test;

# A connection that is kept, and one answer on it.
sub ask {
    my ($socket, $uri) = @_;

    syswrite $socket, "GET $uri HTTP/1.1\r\nHost: x\r\n\r\n" or return;
    my $all = '';
    while ($all !~ /\r\n\r\n/) {
        sysread $socket, $all, 1, length $all or return;
    }
    my ($length) = $all =~ /^Content-Length: (\d+)\r$/mi or return;
    my $end = length($all) + $length;
    while (length $all < $end) {
        sysread $socket, $all, $end - length $all, length $all or return;
    }
    return Cardfeed::Response->new($all);
}

sub card {
    my ($t, $name, $topic, %more) = @_;
    $t->card("$name.md", {title => $name, topics => [$topic],
        date => '2021-01-01', webUrl => "https://example.org/$name", %more});
}

my @uris = map { "/feeds/$_" } qw(a.rss b.rss all.rss !a.atom a+b.json
    all.opml);

# --- another worker builds the index anew: two deaths in a minute

my $t = Cardfeed::Test->new(listen => 'reuseport',
    http => 'keepalive_requests 1000000;',
    server => 'add_header X-Cache $cardfeed_cache_status always;',
    allow => [qr/exited on signal 9/]);
card($t, $_, 'A') for qw(a1 a2);
card($t, $_, 'B') for qw(b1 b2);
$t->start;
my ($indexer) = $t->log =~ /this process indexes \(pid (\d+)\)/;
my ($other) = grep { $_ != $indexer } $t->workers;

# one to each
my %socket;
wait_for(sub {
    my $socket = $t->connection;
    my $res = ask($socket, '/feeds/a.rss?limit=1') or return;
    $socket{$res->header('X-Worker')} //= $socket;
    return $socket{$other};
}, 'a connection to the worker that does not index');
my $kept = $socket{$other};
my (%etag, %txn);
for my $uri (@uris) {
    ask($kept, $uri);
    my $res = ask($kept, $uri);
    is $res->header('X-Cache'), 'HIT', "$uri: kept";
    is $res->header('X-Worker'), $other, "$uri: by the other worker";
    $etag{$uri} = $res->header('ETag');
}

for my $round (1, 2) {
    my ($now) = grep { $_ != $other } $t->workers;
    my $mark = $t->mark;
    my $killed = time;
    kill 'STOP', $other; # or it may be the one
    kill 'KILL', $now;
    $t->wait_log(qr/this process indexes/, "another one indexes, $round",
        $mark);
    kill 'CONT', $other;
    # deaths within one second count as one
    wait_for(sub { time - $killed > 1.2 }, 'a second later') if $round == 1;
    $t->wait_log(qr/died twice/, 'it trusts the index no more', $mark)
        && $t->wait_log(qr/"news" is ready/, 'a new one', $mark)
        if $round == 2;
}
ok $t->alive($other), 'the other worker lives';
wait_for(sub { ask($kept, '/feeds/a.rss')->header('X-Cache') eq 'MISS' },
    'the new index is looked at');
for my $uri (@uris) {
    my $res = ask($kept, $uri);
    is $res->header('X-Cache'), $uri =~ /a\.rss/ ? 'HIT' : 'MISS',
        "$uri: of another index, nothing of the old one counts";
    is $res->header('ETag'), $etag{$uri}, "$uri: and yet the same";
    is ask($kept, $uri)->header('X-Cache'), 'HIT', "$uri: kept again";
}
card($t, 'a3', 'A', date => '2022-01-01');
wait_for(sub { ask($kept, '/feeds/a.rss')->body =~ /a3/ }, 'a card comes');
is ask($kept, '/feeds/b.rss')->header('X-Cache'), 'HIT', 'the other topic';
is ask($kept, $_)->header('X-Cache'), 'MISS', "$_: made anew"
    for '/feeds/all.rss', '/feeds/all.opml';

is $t->stop, 0, 'stopped';
is_deeply [grep { !/on signal 9/ } $t->log_lines(
    qr/\[(?:alert|emerg|crit)\]|on signal|Sanitizer|runtime error/)], [],
    'nothing alarming';

# --- a single process is reloaded: the old cycle's connections live on

$t = Cardfeed::Test->new(workers => 0, listen => 'sndbuf=16k',
    http => 'keepalive_requests 1000000;',
    server => 'add_header X-Cache $cardfeed_cache_status always;',
    location => 'cardfeed_max_entries 1000;');
card($t, "a$_", 'A', excerpt => join('', map { md5_hex($_) } 1 .. 60))
    for 1 .. 500;
card($t, $_, 'B') for qw(b1 b2);
$t->start;
$kept = $t->connection;
ask($kept, $_) for @uris;
is ask($kept, $_)->header('X-Cache'), 'HIT', "single: $_: kept" for @uris;
my $whole = '/feeds/a.rss?limit=1000';
my $want = ask($kept, $whole)->body;
cmp_ok length $want, '>', 500_000, 'a large response';

socket my $slow, Socket::PF_INET(), Socket::SOCK_STREAM(), 0 or die $!;
setsockopt $slow, SOL_SOCKET, SO_RCVBUF, pack 'i', 4096 or die $!;
connect $slow, sockaddr_in($t->port, inet_aton('127.0.0.1')) or die $!;
syswrite $slow, "GET $whole HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
sysread $slow, my $all, 1 or die $!;

my %old = map { $_ => ask($kept, $_)->header('ETag') } @uris;
for my $round (1, 2) {
    my $mark = $t->mark;
    $t->{collection} = "exclude=nothing$round";
    $t->_prepare;
    kill 'HUP', $t->pid;
    $t->wait_log(qr/"news" is ready/, "reload $round: a new index", $mark);
    for my $uri (@uris) {
        my $res = ask($kept, $uri);
        is $res && $res->status, 200, "reload $round: $uri: answered" or next;
        is $res->header('ETag'), $old{$uri}, "reload $round: the same";
    }
    card($t, "b$round", 'B', title => "edited$round");
    wait_for(sub {
        my $res = ask($kept, '/feeds/b.rss');
        return !$res || $res->body =~ /edited$round/;
    }, "reload $round: a change is seen");
    my $res = ask($kept, '/feeds/b.rss');
    is $res && $res->header('X-Cache'), 'HIT', "reload $round: and kept";
    $old{$_} = ask($kept, $_)->header('ETag') for @uris;
}
1 while sysread $slow, $all, 65_536, length $all;
ok +(split /\r\n\r\n/, $all, 2)[1] eq $want, 'a slow reader gets all of it';
close $kept;

$t->finish;
