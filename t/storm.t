# Storms: random operations on the content while clients read.  After each the
# feeds are what a model of the content says, nothing lost, nothing extra.

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
for my $round (1 .. 10) {
    $storm->run(80);
    settle $storm, "storm $round" or last;
}
readers_satisfied $storm->model, 0, @readers;
storm_over $storm;

$t->finish;
