# A directory that the workers cannot read for a while: nothing of it leaves
# the feeds, and what changed meanwhile is found when they can again.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Test;

plan skip_all => 'needs root, to have workers of another user' if $> != 0;

my $t = Cardfeed::Test->new(user => 'www-data');

sub card {
    my ($path, $date) = @_;
    $t->card("$path.md", {title => $path, date => $date, topics => ['T'],
        webUrl => "https://example.org/$path"});
}

card('top', '2021-01-01');
card('in/kept', '2021-01-02');
card('in/gone', '2021-01-03');
$t->start;
$t->wait_titles('all', 'in/gone in/kept top', 'all are there');

my $dir = $t->content . '/in';
chmod 0, $dir or die $!;
$t->wait_log(qr/"in": directory cannot be read/, 'it is reported');
card('in/new', '2021-01-04');
$t->remove('in/gone.md');
card('live', '2021-01-05');
$t->wait_titles('all', 'live in/gone in/kept top',
    'what cannot be looked at stays');
chmod 0755, $dir or die $!;
$t->wait_titles('all', 'live in/new in/kept top',
    'what changed meanwhile is found');

# One that comes closed, so that its names can be listed and no more.
my $aside = $t->dir . '/aside';
mkdir $aside or die $!;
rename "$dir/kept.md", "$aside/kept.md" or die $!;
$t->wait_titles('all', 'live in/new top', 'a card goes');
chmod 0444, $aside or die $!;
rename $aside, "$dir/closed" or die $!;
$t->wait_log(qr/"in\/closed\/kept\.md": cannot be looked at/,
    'and comes back in a directory that is closed');
chmod 0755, "$dir/closed" or die $!;
$t->wait_titles('all', 'live in/new in/kept top', 'which is opened');

# The same with the whole collection.
chmod 0, $t->content or die $!;
card('late', '2021-01-06');
chmod 0755, $t->content or die $!;
$t->wait_titles('all', 'late live in/new in/kept top', 'the root, too');

$t->finish;
