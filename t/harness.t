# The tests' own nginx: it ends with its test, however that ends, and after a
# reload only new workers accept.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Test;

# A test that ends by a signal; who was there then, and where.
sub ended {
    my ($signal, %opt) = @_;

    my $pid = open(my $out, '-|') // die $!;
    if (!$pid) {
        my $t = Cardfeed::Test->new(%opt);
        $t->start(ready => 0);
        wait_for(sub { $t->workers == 2 }, 'its workers');
        syswrite STDOUT, join "\n", $t->dir, $t->pid, $t->workers;
        kill 'KILL', $t->pid if $opt{orphans};
        kill $signal, $$;
        sleep 60;
    }
    chomp(my @said = <$out>);
    close $out;
    is $? & 127, {KILL => 9, PIPE => 13}->{$signal}, "a test ends by $signal";
    return @said;
}

for my $case (['KILL'], ['PIPE'], ['KILL', daemon => 1],
    ['KILL', orphans => 1])
{
    my ($dir, @pids) = ended(@$case);
    is scalar @pids, 3, "@$case: a master and its workers";
    wait_for(sub { !grep { Cardfeed::Test->alive($_) } @pids },
        "@$case: none of them is left") and pass "@$case: all end";
    wait_for(sub { !-e $dir }, "@$case: nor their files")
        and pass "@$case: nothing is left";
}

my $t = Cardfeed::Test->new;
$t->start;
for my $round (1 .. 3) {
    my %old = map { $_ => 1 } $t->workers;
    $t->reload;
    is scalar(grep { $old{$t->get('/feeds/all.rss')->header('X-Worker')} }
        1 .. 50), 0, "reload $round: new workers answer";
}

$t->finish;
