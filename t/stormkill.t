# Storms in which workers are killed, the one that indexes above all: the next
# one goes on with what is there, or builds the index anew.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use Cardfeed::Reader;
use Cardfeed::Shown;
use Cardfeed::Storm;
use Cardfeed::Test;

my $seed = storm_seed();
my $t = Cardfeed::Test->new(Cardfeed::Storm->options,
    allow => [qr/exited on signal 9/]);
my $storm = Cardfeed::Storm->new($t, $seed);
$storm->sow(250);
$t->start;
settle $storm, 'the first scan';

my ($killed, $last) = (0, 0);
my @readers = map { Cardfeed::Reader->start($t, "$seed$_", unready => 1) }
    1 .. 2;
for my $round (1 .. 10) {
    $storm->run(10 + int rand 20);
    # Deaths that are noticed within one second count as one: not the first two.
    wait_for(sub { time > $last + 1.1 }, 'another second') if $round == 2;
    # Whoever indexes, or is about to; at times any of them.
    my ($pid) = ($t->log_lines(qr/this process indexes/))[-1] =~ / (\d+)#/;
    my @workers = $t->workers;
    $pid = $workers[rand @workers] if $round % 3 == 0;
    $killed += kill 'KILL', grep { $_ == $pid } @workers;
    $storm->run(10 + int rand 20);
    $t->reload(wait => 0) if $round % 4 == 0;
    $storm->run(5);
    settle $storm, "storm $round" or last;
    $last = time;
}
cmp_ok $killed, '>', 3, 'workers were killed';
ok scalar($t->log_lines(qr/is built anew/)), 'and the index built anew once';
readers_satisfied $storm->model, $killed, @readers;
storm_over $storm;

$t->finish;
