# ETag, Last-Modified, conditional requests, caching headers.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(remove_tree);
use Test::More;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(listen => 'reuseport',
    server => 'gzip on; gzip_min_length 1;'
        . ' gzip_types application/atom+xml application/rss+xml;',
    location => 'cardfeed_max_age 10m;');

$t->card("$_.md", {title => "Card $_", date => "2021-01-0$_",
    topics => [$_ % 2 ? 'Odd' : 'Even'], webUrl => "https://example.org/$_"})
    for 1 .. 6;
$t->start;

# The validators of a feed once it has all of them.
sub settled {
    my ($uri) = @_;

    my $res;
    wait_for(sub {
        $res = $t->get($uri);
        my $lm = http_date($res->header('Last-Modified')) or return;
        return $lm < http_date($res->header('Date'));
    }, "Last-Modified of $uri is in the past");
    return $res;
}

my $uri = '/feeds/all.atom';
my $res = settled($uri);
my ($etag, $lm) = map { $res->header($_) } qw(ETag Last-Modified);
like $etag, qr{^W/"[\x21\x23-\x7e]+"$}, 'a weak ETag';

# --- the same on every worker, for every encoding

my (%worker, %seen);
wait_for(sub {
    my $r = $t->get($uri);
    $worker{$r->header('X-Worker')}++;
    $seen{join ' ', $r->header('ETag'), $r->header('Last-Modified')}++;
    return keys %worker == 2;
}, 'both workers answer');
is_deeply [keys %seen], ["$etag $lm"], 'every worker: the same validators';

my $gzip = $t->get($uri, 'Accept-Encoding' => 'gzip');
is $gzip->header('Content-Encoding'), 'gzip', 'compressed when asked';
is $gzip->header('ETag'), $etag, 'compressed: the same ETag';
is $gzip->header('Vary'), 'Accept-Encoding', 'compressed: Vary';
isnt $t->get('/feeds/all.rss')->header('ETag'), $etag,
    'another format: another ETag';
isnt $t->get('/feeds/odd.atom')->header('ETag'), $etag,
    'another topic: another ETag';

# --- conditional requests

(my $strong = $etag) =~ s{^W/}{};
my $old = 'Sun, 06 Nov 1994 08:49:37 GMT';
my @cases = (
    ['the ETag', 304, 'If-None-Match' => $etag],
    ['the ETag without W/', 304, 'If-None-Match' => $strong],
    ['any ETag', 304, 'If-None-Match' => '*'],
    ['a list', 304, 'If-None-Match' => qq{"x", W/"y" , $etag, "z"}],
    ['a list of others', 200, 'If-None-Match' => q{"x", W/"y"}],
    ['another ETag', 200, 'If-None-Match' => q{W/"0123456789abcdef"}],
    ['an empty one', 200, 'If-None-Match' => '""'],
    ['the date', 304, 'If-Modified-Since' => $lm],
    ['an older date', 200, 'If-Modified-Since' => $old],
    ['no date', 200, 'If-Modified-Since' => 'yesterday'],
    ['the ETag and an older date', 304, 'If-None-Match' => $etag,
        'If-Modified-Since' => $old],
    ['another ETag and the date', 200, 'If-None-Match' => '"x"',
        'If-Modified-Since' => $lm],
    ['both', 304, 'If-None-Match' => $etag, 'If-Modified-Since' => $lm],
    ['any ETag and no date', 304, 'If-None-Match' => '*',
        'If-Modified-Since' => 'yesterday'],
);

for my $case (@cases) {
    my ($what, $status, %header) = @$case;
    for my $method (qw(GET HEAD)) {
        my $r = $t->request($method, $uri, %header);
        is $r->status, $status, "$method with $what: $status";
        is $r->body, '', "$method with $what: no body"
            if $status == 304 || $method eq 'HEAD';
        is $r->header('ETag'), $etag, "$method with $what: ETag";
        is $r->header('Vary'), 'Accept-Encoding', "$method with $what: Vary";
        is_deeply [$r->headers('Cache-Control')], ['public, max-age=600'],
            "$method with $what: Cache-Control";
    }
}

# --- the same after a restart, and from a new index

$t->restart;
is $t->get($uri)->header('ETag'), $etag, 'restarted: the same ETag';
is settled($uri)->header('Last-Modified'), $lm,
    'restarted: the same Last-Modified';
is $t->stop, 0, 'stopped';
remove_tree($t->dir . '/index');
$t->start;
is $t->get($uri)->header('ETag'), $etag, 'a new index: the same ETag';

# --- Last-Modified moves with every change, also with those that remove

my $even = settled('/feeds/even.atom');
my $odd = settled('/feeds/odd.atom');
my @steps = (
    ['an edit', 'Card 1b', sub { $t->card('1.md', {title => 'Card 1b',
        date => '2021-01-01', topics => ['Odd'],
        webUrl => 'https://example.org/1'}) }],
    ['an unpublished card', qr/^(?!.*Card 3)/, sub { $t->card('3.md',
        {title => 'Card 3', date => '2021-01-03', topics => ['Odd'],
        published => 'false', webUrl => 'https://example.org/3'}) }],
    ['a deleted card', qr/^(?!.*Card 5)/, sub { $t->remove('5.md') }],
);

for my $step (@steps) {
    my ($what, $want, $do) = @$step;

    my ($etag, $before) = map { $odd->header($_) } qw(ETag Last-Modified);
    $do->();
    # Whatever is seen on the way: never in the future, never an old date
    # with a new document.
    my $done = wait_for(sub {
        my $r = $t->get('/feeds/odd.atom');
        my $lm = http_date($r->header('Last-Modified'));
        if (defined $lm && $lm >= http_date($r->header('Date'))) {
            fail "$what: Last-Modified is not in the past";
        }
        return '' if $r->header('ETag') eq $etag;
        return !defined $lm || $lm > http_date($before)
            ? 'right' : "Last-Modified stayed at $before";
    }, "$what: a new ETag");
    is $done, 'right', "$what: Last-Modified moves with the ETag, or is not "
        . 'there';
    $t->wait_titles('odd', ref $want ? $want : qr/$want/, "$what is seen");
    $odd = settled('/feeds/odd.atom');
    cmp_ok http_date($odd->header('Last-Modified')), '>', http_date($before),
        "$what: Last-Modified advances";
}

my $now = $t->get('/feeds/even.atom');
is $now->header($_), $even->header($_), "another topic keeps its $_"
    for qw(ETag Last-Modified);

# --- several changes in one second: no two documents share a date

my %etag;
for my $n (1 .. 4) {
    $t->card('2.md', {title => "Card 2 edit $n", date => '2021-01-02',
        topics => ['Even'], webUrl => 'https://example.org/2'});
    wait_for(sub {
        my $r = $t->get('/feeds/even.rss');
        my $lm = $r->header('Last-Modified');
        $etag{$lm}{$r->header('ETag')} = 1 if $lm;
        return $r->body =~ /Card 2 edit $n</;
    }, "edit $n is seen");
}
my $last = settled('/feeds/even.rss');
$etag{$last->header('Last-Modified')}{$last->header('ETag')} = 1;
is_deeply [grep { keys %{$etag{$_}} > 1 } keys %etag], [],
    'no two documents share a Last-Modified';

$t->finish;
