# Releases: the collection's directory behind links, any of which is switched.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use File::Temp ();
use Test::More;
use Cardfeed::Test;

my $dir = File::Temp->newdir('cardfeed-deploy-XXXXXX', TMPDIR => 1);
chmod 0755, $dir or die $!;

sub release {
    my ($n, @titles) = @_;

    make_path("$dir/releases/$n/site/news");
    for my $title (@titles) {
        open my $fh, '>', "$dir/releases/$n/site/news/$title.md" or die $!;
        print {$fh} "---\ntitle: $title\ndate: 2021-01-01\n---\n";
        close $fh or die $!;
    }
}

# As deploy tools do it: a new link, renamed over the old one.
sub switch_to {
    my ($link, $target) = @_;

    symlink $target, "$dir/$link.new" or die $!;
    rename "$dir/$link.new", "$dir/$link" or die $!;
}

release(1, qw(one same));
release(2, qw(two same));
release(3, qw(three same));
switch_to('live', 'releases/1');
switch_to('current', 'live');

my $t = Cardfeed::Test->new(content => "$dir/current/site");
$t->start;
$t->wait_titles('all', qr/^(?:one same|same one)$/, 'the first release');

switch_to('live', 'releases/2');
$t->wait_titles('all', qr/^(?:two same|same two)$/, 'the second, by a link '
    . 'behind the first');

switch_to('current', "$dir/releases/3");
$t->wait_titles('all', qr/^(?:three same|same three)$/, 'the third, by the '
    . 'first link itself');

switch_to('live', 'releases/1');
release(3, 'late');
$t->wait_titles('all', qr/\blate\b/, 'what is written there is seen');
unlike $t->titles('all'), qr/\bone\b/, 'a link that leads nowhere any more';

rename "$dir/releases", "$dir/away" or die $!;
$t->wait_log(qr/does not exist/, 'a release that is gone is said');
like $t->titles('all'), qr/\blate\b/, 'its cards are served meanwhile';
switch_to('current', 'live');
rename "$dir/away", "$dir/releases" or die $!;
$t->wait_titles('all', qr/^(?:one same|same one)$/, 'back at the first');

$t->finish;
