# A saved card is in the next answers: files and directories that come,
# change, move and go.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use File::Path qw(make_path);
use Test::More;
use Time::HiRes qw(time sleep);
use Cardfeed::Test;

my $t = Cardfeed::Test->new;
my $content = $t->content;
my $aside = $t->dir . '/aside';
mkdir $aside;

my $day = 0;
sub matter {
    my ($title, $topic) = @_;
    return {title => $title, date => rfc3339(1_600_000_000 + ++$day * 60),
        topics => [$topic // 'Live'], webUrl => "https://example.org/$title"};
}

$t->card('keep.md', matter('keep'));
$t->start;
$t->wait_titles('all', 'keep', 'the card that was there');

# Each step, and the feed after it.
my @took;
sub step {
    my ($what, $sel, $want, $do) = @_;

    my $start = time;
    $do->();
    my $done = time;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $t->wait_titles($sel, $want, $what) and push @took, time - $done;
    return;
}

step 'a file is renamed in', 'live', 'one keep',
    sub { $t->card('one.md', matter('one')) };
step 'a file is written in place', 'live', 'two one keep',
    sub { $t->card_in_place('two.md', matter('two')) };
my $two = matter('two-edited');
step 'a file is edited in place', 'live', 'two-edited one keep',
    sub { $t->card_in_place('two.md', $two) };
step 'a file is replaced', 'live', 'one-replaced two-edited keep',
    sub { $t->card('one.md', matter('one-replaced')) };
step 'a file is appended to', 'live', 'one-replaced two-edited keep after',
    sub {
        open my $fh, '>>', "$content/late.md" or die $!;
        $fh->autoflush(1);
        print {$fh} "---\ntitle: after\ndate: 2001-01-01\n";
        sleep 0.02;
        print {$fh} "topics: [Live]\n---\n";
    };
step 'a file is deleted', 'live', 'one-replaced two-edited keep',
    sub { $t->remove('late.md') };
step 'a file is renamed within', 'live', 'one-replaced two-edited keep',
    sub { rename "$content/one.md", "$content/uno.md" or die $! };
step 'a file is renamed out', 'live', 'two-edited keep',
    sub { rename "$content/uno.md", "$aside/uno.md" or die $! };
step 'a file is renamed to no card', 'live', 'keep',
    sub { rename "$content/two.md", "$content/two.md~" or die $! };
step 'and back', 'live', 'two-edited keep',
    sub { rename "$content/two.md~", "$content/two.md" or die $! };
step 'a file is linked in', 'live', 'one-replaced two-edited keep',
    sub { link "$aside/uno.md", "$content/uno.md" or die $! };
step 'a file changes its topic', 'live', 'one-replaced keep',
    sub { $t->card('two.md', matter('two-moved', 'Moved')) };
step 'and is in the other one', 'moved', 'two-moved', sub { };
step 'an old file is copied in', 'live', 'one-replaced keep older',
    sub {
        my $path = "$aside/older.md";
        open my $fh, '>', $path or die $!;
        print {$fh} "---\ntitle: older\ndate: 1999-01-01\n"
            . "topics: [Live]\n---\n";
        close $fh;
        utime 1_000_000_000, 1_000_000_000, $path;
        rename $path, "$content/older.md" or die $!;
    };

step 'a directory is made, a file in it', 'deep', 'deep',
    sub { $t->card('a/b/c/d/deep.md', matter('deep', 'Deep')) };
step 'a second file in the new directory', 'deep', 'deeper deep',
    sub { $t->card('a/b/c/d/deeper.md', matter('deeper', 'Deep')) };
step 'a directory is renamed', 'deep', 'deeper deep',
    sub { rename "$content/a/b", "$content/a/z" or die $! };
step 'a file in the renamed directory', 'deep', 'deepest deeper deep',
    sub { $t->card('a/z/c/d/deepest.md', matter('deepest', 'Deep')) };
step 'a directory is moved out', 'deep', '',
    sub { rename "$content/a", "$aside/a" or die $! };
is $t->get('/feeds/deep.rss')->status, 200,
    'a topic whose cards have all left is an empty feed';
step 'a file changes out there: nothing', 'live', 'one-replaced keep older',
    sub {
        copy "$content/keep.md", "$aside/a/z/c/d/other.md";
        $t->card('two.md', matter('two-again', 'Moved'));
    };
step 'the directory is moved in', 'deep', 'deepest deeper deep',
    sub { unlink "$aside/a/z/c/d/other.md";
        rename "$aside/a", "$content/a2" or die $! };
step 'the directory is deleted', 'deep', '', sub { $t->remove('a2') };
step 'a dot directory is not looked into', 'moved', 'seen two-again',
    sub {
        $t->card('.git/x.md', matter('unseen', 'Moved'));
        $t->card('_drafts/x.md', matter('unseen', 'Moved'));
        $t->card('seen.md', matter('seen', 'Moved'));
    };

is $t->get('/feeds/fresh.rss')->status, 404, 'a topic that is not there yet';
step 'a new topic', 'fresh', 'fresh',
    sub { $t->card('fresh.md', matter('fresh', 'Fresh')) };

# A lone save is seen within 100 ms (on a machine that does something else
# beside, in one round of three).
my $median;
for my $round (1 .. 3) {
    $median = (sort { $a <=> $b } @took)[@took / 2];
    last if $median < 0.1;
    @took = ();
    for (1 .. 9) {
        step "save $_", 'fresh', "fresh$round$_",
            sub { $t->card('fresh.md', matter("fresh$round$_", 'Fresh')) };
    }
}
cmp_ok $median, '<', 0.1, 'seen within 100 ms';
note sprintf '%d steps, median %.1f ms, slowest %.1f ms', scalar @took,
    $median * 1000, (sort { $a <=> $b } @took)[-1] * 1000;

# Many at once.
make_path("$aside/many/$_") for 1 .. 10;
for my $n (1 .. 400) {
    open my $fh, '>', "$aside/many/@{[$n % 10 + 1]}/$n.md" or die $!;
    print {$fh} $t->card_text(matter("m$n", 'Many'));
    close $fh;
}
step 'a directory of 400 cards', 'many',
    join(' ', map { "m$_" } reverse 1 .. 400),
    sub { rename "$aside/many", "$content/many" or die $! };
step 'half of them go', 'many',
    join(' ', map { "m$_" } grep { $_ % 2 } reverse 1 .. 400),
    sub { $t->remove("many/$_") for 1, 3, 5, 7, 9 };

is scalar(() = $t->log_lines(qr/\[(?:warn|error)\]/)), 0,
    'nothing to complain of' or diag $t->log_lines(qr/\[(?:warn|error)\]/);

$t->finish;
