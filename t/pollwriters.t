# Without events nothing tells when a writer is done: a card that is rewritten
# in place is left as it was until it is quiet, any other change is seen with
# the next look.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Handle;
use Test::More;
use Cardfeed::Seen;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(workers => 1,
    collection => 'watch=poll poll=100ms');

sub text {
    my ($title, $topic) = @_;
    return "---\ntitle: $title\ndate: 2021-01-01\ntopics: [$topic]\n---\n";
}

sub state { join ' ', $_[0]->body =~ m{<item>\s*<title>([^<]*)}g }

$t->file('a.md', text('old', 'A'));
$t->start;

# A look of the indexer goes by while a file goes on being young.
my $looks = 0;
sub look {
    my ($path) = @_;

    my $is = sub { utime undef, undef, $path; $t->titles('look') eq $_[0] };
    my $n = ++$looks;
    $t->file("look$n.md", text("look$n", 'Look'));
    wait_for(sub { $is->("look$n") }, "look $n", 30);
    $t->remove("look$n.md");
    wait_for(sub { $is->('') }, "look $n goes", 30);
}

my @seen = seen_while($t, '/feeds/a.rss', \&state, sub {
    my $path = $t->content . '/a.md';
    open my $fh, '>', $path or die $!;
    $fh->autoflush(1);
    look($path);
    my $text = text('new', 'A');
    print {$fh} substr $text, 0, 20;
    look($path);
    print {$fh} substr $text, 20;
    close $fh;
    $t->wait_titles('a', 'new', 'it is seen in the end', 30);
});
is "@seen", 'old new', 'rewritten in place: the old one, then the new one';

@seen = seen_while($t, '/feeds/a.rss', \&state, sub {
    for my $n (1 .. 3) {
        $t->file('a.md', text("n$n", 'A'));
        $t->wait_titles('a', "n$n", "renamed over: $n", 30);
    }
});
# The reader may be too slow for some of them.
like "@seen", qr/^new (?:n1 )?(?:n2 )?n3$/, 'renamed over: each at once';

$t->finish;
