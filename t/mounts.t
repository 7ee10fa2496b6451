# What is mounted over the collection, on the way to it or within it, comes
# and goes: the feeds are of what is there, and no polling finds it out.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use Test::More;
use Cardfeed::Mounts;
use Cardfeed::Test;

own_mounts();

# A directory with a blank, for the kernel's list has to be read.
my $t = Cardfeed::Test->new(workers => 1, collection => 'poll=1h',
    content => undef);
$t->{content} = $t->dir . '/a site/cards';
my $content = $t->content;

sub card {
    my ($path, $n) = @_;
    make_path($t->content . '/' . $path =~ s{[^/]*$}{}r);
    $t->card_in_place("$path.md", {title => $path =~ s{.*/}{}r,
        date => sprintf('2021-01-%02d', $n), topics => ['M']});
}

card('below', 1);
make_path("$content/in/dir", $t->dir . '/bound/deep');
$t->start;
$t->wait_titles('all', 'below', 'a directory');

# Anything elsewhere is no concern.
mounted('-t', 'tmpfs', 'none', $t->dir . '/tmp');
unmounted($t->dir . '/tmp');

mounted('-t', 'tmpfs', 'none', $content);
$t->wait_titles('all', '', 'an empty file system over it');
card('above', 2);
$t->wait_titles('all', 'above', 'a card in that');
mounted('-t', 'tmpfs', 'none', $t->dir . '/a site');
$t->wait_log(qr/does not exist/, 'one over the way to it');
is $t->titles('all'), 'above', 'the collection is absent: its cards stay';
unmounted($t->dir . '/a site');
card('again', 3);
$t->wait_titles('all', 'again above', 'back again');
unmounted($content);
$t->wait_titles('all', 'below', 'unmounted: what was below');
card('late', 4);
$t->wait_titles('all', 'late below', 'and is watched');

# Within.
mounted('-t', 'tmpfs', 'none', "$content/in/dir");
card('in/dir/x/mounted', 5);
$t->wait_titles('all', 'mounted late below', 'a file system within');
unmounted("$content/in/dir");
$t->wait_titles('all', 'late below', 'that goes');
card('in/dir/under', 6);
$t->wait_titles('all', 'under late below', 'the directory below it');

{
    local $t->{content} = $t->dir . '/bound';
    card('deep/bound', 7);
}
mounted('--bind', $t->dir . '/bound', "$content/in/dir");
$t->wait_titles('all', 'bound late below', 'a directory bound within');
{
    local $t->{content} = $t->dir . '/bound';
    card('deep/other', 8);
}
$t->wait_titles('all', 'other bound late below',
    'a change by its other name');
unmounted("$content/in/dir");
$t->wait_titles('all', 'under late below', 'bound no more');

is scalar(() = $t->log_lines(qr/looking every/)), 0, 'by events all the time';

$t->finish;
