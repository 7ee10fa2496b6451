# However a file is written, readers see its old version or its new one:
# never none, never half of one.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fcntl qw(O_CREAT O_EXCL O_WRONLY);
use IO::Handle;
use Test::More;
use Cardfeed::Seen;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(workers => 1);
my $content = $t->content;
my $card = "$content/card.md";

# A version of the card: what is said in its front matter, and in its last
# line, is one word.
sub version {
    my ($word) = @_;
    return "---\ntitle: $word\ndate: 2021-01-01\ntopics: [W]\n---\n"
        . "Body of\n$word\n";
}

sub write_to {
    my ($path, @pieces) = @_;
    open my $fh, '>', $path or die "$path: $!";
    $fh->autoflush(1);
    for my $i (0 .. $#pieces) {
        aside() if $i;
        print {$fh} $pieces[$i] or die $!;
    }
    return $fh;
}

# Something else happens and is seen: what was to come of the events before
# it has come.
my $asides = 0;
sub aside {
    my $n = ++$asides;
    $t->card('aside.md', {title => "aside$n", date => '2021-01-01',
        topics => ['Aside']});
    wait_for(sub { $t->titles('aside') eq "aside$n" }, "aside $n");
}

# Each version, whole, as "word".
sub state {
    my ($res) = @_;
    my @items = $res->body =~ m{<item>(.*?)</item>}sg;
    return '(' . $res->status . ')' if !@items;
    return join ' ', map {
        my ($title) = m{<title>(.*?)</title>};
        my ($text) = m{<description>(.*?)</description>}s;
        $text eq "Body of $title" ? $title
            : "$title-with-($text)" =~ s/\s/_/gr;
    } @items;
}

my $version = 0;
write_to($card, version('v0'));
$t->start;
$t->wait_titles('w', 'v0', 'the first version');

# The step writes the next version; a reader sees the last one, then that.
sub step {
    my ($what, $write, $topic) = @_;

    my $old = "v$version";
    my $new = 'v' . ++$version;
    my @seen = seen_while($t, '/feeds/w.rss', \&state, sub {
        $write->($new);
        wait_for(sub { $t->titles('w') eq $new }, "$what: $new");
    });
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is "@seen", "$old $new", $what;
}

my @cut = map { my $at = $_; sub {
    my ($word) = @_;
    my $text = version($word);
    return (substr($text, 0, $at), substr($text, $at));
} } 0, 10, 48, 51, 56;
sub pieces { return map { "$_\n" } split /\n/, version($_[0]) }

for my $cut (@cut) {
    my ($first) = $cut->('v1');
    step 'in place, in two pieces, the first of ' . length $first,
        sub { write_to($card, $cut->($_[0])) };
}
step 'in place, line by line', sub { write_to($card, pieces($_[0])) };
step 'in place, without truncation', sub {
    open my $fh, '+<', $card or die $!;
    $fh->autoflush(1);
    for my $piece (pieces($_[0])) {
        print {$fh} $piece;
        aside();
    }
    truncate $fh, tell $fh;
};
step 'in place, its mode and date set meanwhile', sub {
    my ($word) = @_;
    my $fh = write_to($card, '');
    chmod 0640, $card;
    aside();
    my ($first, $rest) = $cut[4]->($word);
    print {$fh} $first;
    utime 1_600_000_000, 1_600_000_000, $card;
    chmod 0644, $card;
    aside();
    print {$fh} $rest;
};
step 'renamed over', sub { write_to("$content/.card.tmp", version($_[0]));
    rename "$content/.card.tmp", $card };
step 'renamed over, from a name that is a card\'s for none', sub {
    close write_to("$content/card.md.new", pieces($_[0]));
    rename "$content/card.md.new", $card };
step 'copied', sub { close write_to($t->dir . '/copy', version($_[0]));
    system 'cp', $t->dir . '/copy', $card };
step 'copied with its dates', sub {
    close write_to($t->dir . '/copy', version($_[0]));
    system 'cp', '-p', $t->dir . '/copy', $card };
step 'moved in from elsewhere', sub {
    close write_to($t->dir . '/moved', version($_[0]));
    system 'mv', $t->dir . '/moved', $card };
step 'by sed -i', sub { system 'sed', '-i', "s/v[0-9]*/$_[0]/", $card };
step 'by perl -i', sub {
    system $^X, '-i', '-pe', "s/v[0-9]+/$_[0]/", $card };

# Editors: emacs locks with a link to nowhere and writes in place; vim moves
# the old file away and makes a new one.
step 'as emacs does it', sub {
    symlink 'me@here.1:2', "$content/.#card.md" or die $!;
    write_to("$content/#card.md#", 'autosaved');
    system 'cp', '-p', $card, "$card~";
    close write_to($card, $cut[4]->($_[0]));
    unlink "$content/.#card.md", "$content/#card.md#";
};
step 'as vim does it', sub {
    my ($word) = @_;
    write_to("$content/.card.md.swp", 'swap');
    sysopen my $probe, "$content/4913", O_CREAT | O_EXCL | O_WRONLY or die $!;
    unlink "$content/4913";
    my ($first, $rest) = $cut[4]->($word);
    rename $card, "$card~" or die $!;
    sysopen my $fh, $card, O_CREAT | O_EXCL | O_WRONLY or die $!;
    aside();
    syswrite $fh, $first;
    chmod 0600, $card;
    aside();
    syswrite $fh, $rest;
    close $fh;
    unlink "$card~", "$content/.card.md.swp";
};
step 'removed and made again, as git does it', sub {
    my ($word) = @_;
    unlink $card;
    sysopen my $fh, $card, O_CREAT | O_EXCL | O_WRONLY or die $!;
    aside();
    syswrite $fh, version($word);
};

# The same many times over, without a look in between.
{
    my $from = $version;
    my @seen = seen_while($t, '/feeds/w.rss', \&state, sub {
        for (1 .. 200) {
            close write_to("$content/.tmp", version('v' . ++$version));
            rename "$content/.tmp", $card;
        }
        wait_for(sub { $t->titles('w') eq "v$version" }, 'the last of many');
    });
    my @numbers = map { /^v(\d+)$/ ? $1 : -1 } @seen;
    is_deeply \@numbers, [sort { $a <=> $b } @numbers],
        'renamed over 200 times: only ever newer'
        or diag "@seen";
    is $numbers[0], $from, 'from the first';
}

# A young file is looked at again two seconds after its save: not while it is
# being written.  Another one, complete when it got its name, is seen after
# that look.
my $old = "v$version";
my $new = 'v' . ++$version;
my @seen = seen_while($t, '/feeds/w.rss', \&state, sub {
    my ($first, $rest) = $cut[4]->($new);
    my $fh = write_to($card, $first);
    system $^X, '-MFcntl', '-e', <<'PERL', $content and die $?;
# O_TMPFILE, of which Fcntl does not know
sysopen my $fh, $ARGV[0], 020000000 | O_DIRECTORY | O_WRONLY, 0644
    or exit 0;
syswrite $fh, "---\ntitle: late\ndate: 2021-01-01\ntopics: [Late]\n---\n";
system 'ln', '-L', "/proc/$$/fd/" . fileno $fh, "$ARGV[0]/late.md";
PERL
    close write_to("$content/late.md", version('late') =~ s/W\]/Late]/r)
        if !-e "$content/late.md";
    $t->wait_titles('late', 'late', 'a file linked in when it is complete');
    print {$fh} $rest;
    close $fh;
    wait_for(sub { $t->titles('w') eq $new }, 'a slow writer');
});
is "@seen", "$old $new", 'a slow writer: never half of it';

# A writer that never closes its file: what it wrote is seen when all is looked
# at.
{
    my $new = 'v' . ++$version;
    my $fh = write_to($card, version($new));
    aside();
    is $t->titles('w'), 'v' . ($version - 1), 'a file that is never closed';
    $t->reload;
    $t->wait_titles('w', $new, 'is read at a reload');
}

is_deeply [$t->log_lines(qr/\[(?:warn|error)\]/)], [],
    'nothing to complain of';

$t->finish;
