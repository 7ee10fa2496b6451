# One process without a master, reloaded: the index is handed from cycle to
# cycle.  nginx itself answers nothing after that (it has no connections
# left), so the log and a start say what came of it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Handover;
use Cardfeed::Test;

# Two collections, and one less later: after a reload nginx has no connections
# for one more.
my $t = Cardfeed::Test->new(workers => 0,
    http => 'cardfeed_collection more {{DIR}}/content;');

my $n = 0;
sub card {
    $n++;
    $t->card("c$n.md", {title => "c$n", topics => ['Single'],
        date => rfc3339(1_600_000_000 + $n),
        webUrl => "https://example.org/$n"});
}

sub titles { join ' ', map { "c$_" } reverse 1 .. $n }

# Threads that index, of a process of several.
sub threads {
    my ($name) = @_;
    return grep { slurp($_) eq "cardfeed:$name\n" }
        glob '/proc/' . $t->pid . '/task/*/comm';
}

# What the indexer says once it is up to date.
sub told {
    my ($what, $mark, $regex) = @_;

    my $line = $t->wait_log($regex, $what, $mark) // '';
    my ($cards) = $line =~ /: (\d+) cards in feeds/;
    return $cards // -1;
}

sub reload {
    my $mark = $t->mark;
    $t->_prepare;
    kill 'HUP', $t->pid;
    return $mark;
}

card();
$t->start;
$t->wait_titles('all', titles(), 'a card');
is scalar(threads('news')), 1, 'one thread';

for my $round (1 .. 5) {
    card();
    my $mark = reload();
    is told("reload $round", $mark, qr/"news" is reconciled/), $n,
        "reload $round: all cards";
    wait_for(sub { threads('news') == 1 }, "reload $round: one thread");
    is_deeply [holders($t)], [$t->pid], "reload $round: which has the lock";
}

# A change after it is indexed as well: without a request, the index says so.
my $mark = $t->mark;
$t->file('bad.md', "---\ntitle: [\n---\n");
$t->wait_log(qr/"news": "bad\.md":\d/, 'a change is noticed', $mark);

# --- other parameters, and one collection less

$t->{collection} = 'exclude=c1.md';
$mark = reload();
is told('another index', $mark, qr/"news" is ready/), $n - 1,
    'other parameters: another index';
$t->{collection} = '';
$t->{http} = '';
$mark = reload();
is told('without the second', $mark, qr/"news" is ready/), $n,
    'back, and without the second collection';
wait_for(sub { !threads('more') && threads('news') == 1 },
    'a collection that is removed has no thread');
is_deeply [holders($t, 'more')], [], 'and no lock';
# --- a start

$t->restart;
$t->wait_titles('all', titles(), 'a start: every card is there');
card();
$t->wait_titles('all', titles(), 'a start: and the next');
is_deeply [holders($t)], [$t->pid], 'a start: one indexer';
is $t->stop('QUIT'), 0, 'a graceful end';
is_deeply [holders($t)], [], 'gives the lock up';

$t->finish;
