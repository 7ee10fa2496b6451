# Storms with reloads and restarts among the operations: no request fails, and
# whoever takes the index over finds all that happened meanwhile.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Reader;
use Cardfeed::Shown;
use Cardfeed::Storm;
use Cardfeed::Test;

my $seed = storm_seed();
my $t = Cardfeed::Test->new(Cardfeed::Storm->options);
my $storm = Cardfeed::Storm->new($t, $seed);
$storm->sow(250);
$t->start;
settle $storm, 'the first scan';

my @readers = map { Cardfeed::Reader->start($t, "$seed$_") } 1 .. 2;
for my $round (1 .. 8) {
    for (1 .. 4) {
        $storm->run(12);
        $t->reload(wait => 0);
    }
    $storm->run(12);
    $t->reload;
    settle $storm, "storm $round" or last;
}
readers_satisfied $storm->model, 0, @readers;

# Nobody is there to see it.
is $t->stop, 0, 'stopped';
$storm->run(60);
$t->start;
settle $storm, 'a storm while nginx does not run';
$t->restart;
settle $storm, 'and nothing at all';
storm_over $storm;

$t->finish;
