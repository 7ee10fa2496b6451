# What the clock alone does to cached responses: cards that expire and that
# come due, a month that ends.

use strict;
use warnings;
no warnings 'qw'; # commas
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use Time::Local qw(timegm);
use Cardfeed::Test;

my %site = (workers => 1,
    server => 'add_header X-Cache $cardfeed_cache_status always;');

sub cached { $_[0]->get($_[1])->header('X-Cache') // 'none' }

sub matter {
    my ($title, $topics, %more) = @_;
    return {title => $title, date => '2021-01-01', topics => $topics,
        webUrl => "https://example.org/$title", %more};
}

# --- the clock is ours: nginx gets it from a library of this test

my $t = Cardfeed::Test->new(%site);
my $shim = $t->dir . '/clock.so';
open my $fh, '>', $t->dir . '/clock.c' or die $!;
print {$fh} <<'C';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Seconds to add, in a file that every process maps. */
static long
shift(void)
{
    static volatile long *at;

    if (at == NULL) {
        int fd = open(getenv("CARDFEED_CLOCK"), O_RDONLY);
        at = mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, fd, 0);
        close(fd);
    }

    return *at;
}

time_t
time(time_t *t)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    if (t) *t = ts.tv_sec;
    return ts.tv_sec;
}

int
gettimeofday(struct timeval *tv, void *tz)
{
    struct timespec ts;

    (void) tz;
    clock_gettime(CLOCK_REALTIME, &ts);
    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;
    return 0;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
    static int (*real)(clockid_t, struct timespec *);

    if (real == NULL) {
        real = (int (*)(clockid_t, struct timespec *))
               dlsym(RTLD_NEXT, "clock_gettime");
    }

    int rc = real(id, ts);
    if (rc == 0 && id == CLOCK_REALTIME) ts->tv_sec += shift();
    return rc;
}
C
close $fh;

sub set_clock {
    my ($time) = @_;

    open my $fh, '+<:raw', $t->dir . '/clock' or die $!;
    syswrite $fh, pack 'q', $time - int time or die $!;
}

SKIP: {
    system('cc', '-shared', '-fPIC', '-O1', '-o', $shim,
        $t->dir . '/clock.c', '-ldl') == 0
        or skip 'no C compiler', 1;
    open $fh, '>:raw', $t->dir . '/clock' or die $!;
    syswrite $fh, pack 'q', 0;
    close $fh;
    months();
}

# Two years from now, so that the indexer's own timer, which is the system's,
# does not wake it: what nginx sees is nginx's doing.
sub months {
    my $year = (gmtime)[5] + 1902;
    my $end = timegm(0, 0, 0, 1, 1, $year);

    set_clock($end - 7200);
    $t->card('old.md', matter('old', ['A'], date => "$year-01-01"));
    $t->card('new.md', matter('new', ['A'], date => "$year-01-31"));
    $t->card('last.md', matter('last', ['A'],
        date => $year - 1 . '-12-01'));
    $t->card('ends.md', matter('ends', ['Ends', 'A'], date => "$year-01-30",
        expiryDate => rfc3339($end - 3600)));
    $t->card('b.md', matter('b', ['B'], date => "$year-01-02"));
    {
        local $ENV{LD_PRELOAD} = $shim;
        local $ENV{CARDFEED_CLOCK} = $t->dir . '/clock';
        $t->{main} = 'env LD_PRELOAD; env CARDFEED_CLOCK;';
        $t->start;
    }

    # nginx looks at the clock when something happens: Date says when it did
    my $clock = sub {
        my ($time, $what) = @_;
        set_clock($time);
        wait_for(sub { http_date($t->get('/feeds/nothing.rss')->header('Date'))
            >= $time }, $what);
    };

    my @both = ('/feeds/a.rss', '/feeds/all.json', '/feeds/!b.atom',
        "/feeds/a.rss?month=$year-01", '/feeds/a.html?limit=2');
    my @ends = ('/feeds/ends.rss', '/feeds/a+ends.atom');
    for my $uri (@both, @ends) {
        like $t->get($uri)->body, qr/[>"]ends[<"]/, "$uri: it has the card";
        is cached($t, $uri), 'HIT', "$uri: kept";
    }
    is cached($t, '/feeds/b.rss'), 'MISS', 'another topic';
    is cached($t, '/feeds/a.rss?limit=1'), 'MISS', 'a page without it';
    $clock->($end - 3601, 'a second to go');
    wait_for(sub { http_date($t->get('/feeds/nothing.rss')->header('Date'))
        >= $end - 3600 }, 'the very second');
    for my $uri (@both, @ends) {
        my $res = $t->get($uri);
        is $res->status, 200, "$uri: 200";
        is $res->header('X-Cache'), 'MISS', "$uri: made anew";
        unlike $res->body, qr/[>"]ends[<"]/, "$uri: without the card";
        is cached($t, $uri), 'HIT', "$uri: kept";
    }
    is cached($t, '/feeds/b.rss'), 'HIT', 'another topic: kept';
    is cached($t, '/feeds/a.rss?limit=1'), 'HIT', 'as is what it was not in';

    my ($this, $before, $next) = map { "/feeds/a.rss?month=$_" }
        "$year-01", $year - 1 . '-12', "$year-02";
    is cached($t, $before), 'MISS', 'the month before';
    unlike $t->get($this)->body, qr/<fh:archive/, 'this one is no archive';
    my ($then, $long_ago) = map { $t->get($_)->header('Last-Modified') }
        $this, $before;
    cmp_ok http_date($then), '<', $end - 3000, 'last modified before its end';
    is $t->get($this, 'If-Modified-Since' => $then)->status, 304,
        'nor since then';
    like $t->get($before)->body, qr/<fh:archive/, 'the one before is';
    is $t->get($next)->status, 404, 'the next one is not there';
    my $etag = $t->get($before)->header('ETag');

    $clock->($end - 60, 'a minute to go');
    is cached($t, $this), 'HIT', 'this month: kept until its end';
    $clock->($end, 'it is February');
    my $res = $t->get($this);
    is $res->header('X-Cache'), 'MISS', 'the month is over: made anew';
    $clock->($end + 1, 'for a second');
    $res = $t->get($this, 'If-Modified-Since' => $then);
    is $res->status, 200, 'that is a change of the document';
    is http_date($res->header('Last-Modified')), $end, 'at the month\'s end';
    is $t->get($before)->header('Last-Modified'), $long_ago,
        'but none of the one before';
    like $res->body, qr/<fh:archive/, 'an archive';
    is cached($t, $this), 'HIT', 'and kept as such';
    is cached($t, $before), 'HIT', 'the one before is what it was';
    is $t->get($before)->header('ETag'), $etag, 'to the byte';
    is cached($t, '/feeds/a.rss'), 'HIT', 'as is the feed';
    is $t->get($next)->status, 200, 'the next one is there, and empty';
    is cached($t, $next), 'BYPASS', 'it is not kept';
}

is $t->stop, 0, 'stopped' if $t->pid;
is_deeply [$t->log_lines(qr/\[(?:alert|emerg|crit|error)\]|on signal/)], [],
    'nothing alarming';

# --- a card expires, another one comes due

$t = Cardfeed::Test->new(%site);
$t->card('stays.md', matter('stays', ['A', 'B']));
$t->card('other.md', matter('other', ['B'], date => '2020-12-31'));
$t->card('c.md', matter('c', ['C']));
$t->start;

my $end = int(time) + 3;
$t->card('ends.md', matter('ends', ['A'], expiryDate => rfc3339($end)));
$t->card('hidden.md', matter('hidden', ['A'], date => '2020-01-01',
    expiryDate => rfc3339($end)));
$t->card('comes.md', matter('comes', ['B'], date => rfc3339($end)));
$t->card('new.md', matter('new', ['New'], date => rfc3339($end)));
$t->wait_titles('a', 'ends stays hidden', 'one that is to expire');
my @a = map { "/feeds/$_" } qw(a.rss a.atom a.json a.html a+!b.rss a,c.rss
    all.rss !b.atom all.rss?month=2021-01 a.rss?limit=1);
my @b = map { "/feeds/$_" } qw(b.rss b.atom b.html a+b.rss b,c.rss all.json
    !a.rss b.rss?limit=1);
my @c = map { "/feeds/$_" } qw(c.rss c.atom c.rss?month=2021-01);
cached($t, $_), is cached($t, $_), 'HIT', "$_: kept" for @a, @b, @c;
is $t->get('/feeds/new.rss')->status, 404, 'a topic to come';
cmp_ok time, '<', $end, 'all in time' or diag 'this machine is too slow';

# Whatever time the answer says it is of: nothing that was over by then.
my ($late, $last, $hits) = (0, 0, 0);
wait_for(sub {
    for my $uri (@a) {
        my $res = $t->get($uri);
        my $date = http_date($res->header('Date'));
        my $has = $res->body =~ /[>"]ends[<"]/;
        $late++, diag "$uri at $date" if $has && $date >= $end;
        $hits++ if $has && $res->header('X-Cache') eq 'HIT';
        $last = $date;
    }
    return $last > $end;
}, 'the time has come');
is $late, 0, 'no expired card in any answer, from the cache or not';
cmp_ok $hits, '>', 0, 'while they came from the cache before';

$t->wait_titles('b', 'comes stays other', 'the other one is there');
$t->wait_titles('new', 'new', 'and the new topic');
for my $uri (@b) {
    my $res = $t->get($uri);
    my $body = $res->body;
    $uri =~ /a\+b/ ? unlike $body, qr/comes/, "$uri: not in it"
        : like $body, qr/comes/, "$uri: it is in it";
    is cached($t, $uri), 'HIT', "$uri: kept again";
}
is cached($t, $_), 'HIT', "$_: kept all the time" for @c;
is $t->get('/feeds/c.rss')->header('Cache-Control'), 'public, max-age=300',
    'as nothing is due any more';

$t->finish;
