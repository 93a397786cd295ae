# SPDX-License-Identifier: GPL-3.0-or-later
#
# The beginning of the programs that run tasks: time, JSON, Base64 and connections.
# It uses what Debian's perl-base has.

use strict;
use warnings;
use Config;
use Errno qw(EAGAIN EINTR ENOENT);
use Fcntl qw(F_DUPFD);
use IO::Handle;
use POSIX ();

my $ticks = POSIX::sysconf(POSIX::_SC_CLK_TCK());

# Seconds from some moment, which no clock adjustment changes.
sub now { return (POSIX::times())[0] / $ticks }

# --- JSON -------------------------------------------------------------------
# Strings are bytes.  What is no string, object or array becomes a reference to
# its text, so that it can be written as it was read.

my %escape = ('"' => '"', '\\' => '\\', '/' => '/', b => "\b", f => "\f", n => "\n",
              r => "\r", t => "\t");

sub parse_string {
    my ($text) = @_;
    my $string = '';
    while (1) {
        $$text =~ /\G([^"\\]*)/gc;
        $string .= $1;
        return $string if $$text =~ /\G"/gc;
        if ($$text =~ /\G\\u([0-9a-fA-F]{4})/gc) {
            my $code = hex($1);
            if ($code >= 0xD800 && $code < 0xDC00 && $$text =~ /\G\\u([dD][c-fC-F][0-9a-fA-F]{2})/gc) {
                $code = 0x10000 + ($code - 0xD800) * 0x400 + hex($1) - 0xDC00;
            }
            my $character = chr($code);
            utf8::encode($character);
            $string .= $character;
        }
        elsif ($$text =~ /\G\\(.)/gc && defined $escape{$1}) { $string .= $escape{$1} }
        else { die "invalid JSON string\n" }
    }
}

sub parse_value {
    my ($text) = @_;
    $$text =~ /\G\s+/gc;
    return parse_string($text) if $$text =~ /\G"/gc;
    if ($$text =~ /\G\{\s*/gc) {
        my %object;
        return \%object if $$text =~ /\G\}/gc;
        do {
            $$text =~ /\G\s*"/gc or die "invalid JSON object\n";
            my $name = parse_string($text);
            $$text =~ /\G\s*:/gc or die "invalid JSON object\n";
            $object{$name} = parse_value($text);
        } while ($$text =~ /\G\s*,/gc);
        $$text =~ /\G\s*\}/gc or die "invalid JSON object\n";
        return \%object;
    }
    if ($$text =~ /\G\[\s*/gc) {
        my @array;
        return \@array if $$text =~ /\G\]/gc;
        do { push @array, parse_value($text) } while ($$text =~ /\G\s*,/gc);
        $$text =~ /\G\s*\]/gc or die "invalid JSON array\n";
        return \@array;
    }
    $$text =~ /\G([-+.\w]+)/gc or die "invalid JSON\n";
    return \(my $other = $1);
}

sub from_json {
    my ($text) = @_;
    pos($text) = 0;
    return parse_value(\$text);
}

sub to_json {
    my ($value) = @_;
    my $kind = ref $value;
    return $$value if $kind eq 'SCALAR';
    return '{' . join(',', map { to_json($_) . ':' . to_json($value->{$_}) } sort keys %$value) . '}'
        if $kind eq 'HASH';
    return '[' . join(',', map { to_json($_) } @$value) . ']' if $kind eq 'ARRAY';
    $value =~ s/(["\\])/\\$1/g;
    $value =~ s/([\x00-\x1f])/sprintf('\\u%04x', ord($1))/ge;
    return "\"$value\"";
}

sub number {
    my ($value) = @_;
    return ref $value ? $$value + 0 : $value // 0;
}

sub to_base64 {
    my ($bytes) = @_;
    my $text = '';
    while ($bytes =~ /(.{1,45})/gs) {
        $text .= substr(pack('u', $1), 1, -1);
    }
    $text =~ tr|` -_|AA-Za-z0-9+/|;
    my $padding = (3 - length($bytes) % 3) % 3;
    substr($text, -$padding) = '=' x $padding if $padding;
    return $text;
}

sub from_base64 {
    my ($text) = @_;
    $text =~ tr|A-Za-z0-9+/||cd;
    $text =~ tr|A-Za-z0-9+/| -_|;
    my $bytes = '';
    while ($text =~ /(.{1,60})/gs) {
        $bytes .= unpack('u', chr(32 + int(length($1) * 3 / 4)) . $1);
    }
    return $bytes;
}

# --- Connections --------------------------------------------------------------
# A connection has a socket, what was read and not yet taken, what is still to be
# written, and two functions: one consumes what was read, one runs after its end.

my %connections;  # by file number

sub add_connection {
    my ($socket, $received, $closed) = @_;
    $socket->blocking(0);
    my $connection = { socket => $socket, in => '', out => '',
                       received => $received, closed => $closed };
    $connections{fileno $socket} = $connection;
    return $connection;
}

sub close_connection {
    my ($connection) = @_;
    delete $connections{fileno $connection->{socket}};
    close $connection->{socket};
    $connection->{socket} = undef;
}

sub end_connection {
    my ($connection) = @_;
    close_connection($connection);
    $connection->{closed}->();
}

sub read_connection {
    my ($connection) = @_;
    my $count = sysread($connection->{socket}, $connection->{in}, 1 << 16, length $connection->{in});
    if ($count) { $connection->{received}->($connection) }
    elsif (defined $count || ($! != EAGAIN && $! != EINTR)) { end_connection($connection) }
}

sub write_connection {
    my ($connection) = @_;
    my $count = syswrite($connection->{socket}, $connection->{out});
    if (defined $count) { substr($connection->{out}, 0, $count) = '' }
    # The peer has closed the connection; its earlier messages are still read.
    elsif ($! != EAGAIN && $! != EINTR) { $connection->{out} = '' }
}
