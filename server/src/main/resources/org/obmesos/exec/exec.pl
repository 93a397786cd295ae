# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs a command beside a running task: in its container, its directory and its
# environment.
#
#   perl exec.pl [--directory DIRECTORY]... TASK [--tty] [--] [COMMAND [ARGUMENT]...]
#
# Each DIRECTORY has the socket exec.sock of a server; the first server that knows
# the task is used.  Without a COMMAND it is a shell, on a terminal if there is one.  The exit status is that of
# the command, 128 and its number after a signal, and 255 if it cannot be run or
# if the connection is lost.  It uses what Debian's perl-base has.
#
# A message is a letter, the length of its data (four bytes, the highest first),
# and the data.
#
#   to the server    T task, C word of the command, Y rows columns TERM: a terminal,
#                    G go; then I input, E end of input, W rows columns
#   from the server  F why it cannot be done; D directory, A word, V NAME=VALUE,
#                    X run this; or R it runs, O output, S standard error,
#                    Q status as of wait(2), L why the connection was lost

use strict;
use warnings;
use Errno qw(EAGAIN EINTR);
use IO::Socket::UNIX;
use Socket;

my ($tty, @directories, $task);
while (@ARGV) {
    my $word = shift @ARGV;
    last if $word eq '--';
    if ($word eq '--tty') { $tty = 1 }
    elsif ($word eq '--directory') { push @directories, shift @ARGV // '' }
    elsif ($word !~ /^-/ && !defined $task) { $task = $word }
    else {
        unshift @ARGV, $word;
        last;
    }
}
if (!defined $task || (@ARGV && $ARGV[0] =~ /^-/)) {
    print STDERR "usage: ob-mesos exec TASK [--tty] [--] [COMMAND [ARGUMENT]...]\n";
    exit 2;
}
my @command = @ARGV;
$tty = 1 if !@command && -t STDIN && -t STDOUT;

sub message {
    my ($type, $data) = @_;
    return $type . pack('N', length $data) . $data;
}

sub fail {
    my ($text) = @_;
    print STDERR "ob-mesos: $text\n";
    exit 255;
}

# --- The terminal --------------------------------------------------------------

my $settings;  # of the terminal, as stty -g prints them

sub terminal_size {
    my $size = `stty size 2>/dev/null`;
    return $size =~ /^([1-9]\d*) ([1-9]\d*)/ ? "$1 $2" : '24 80';
}

sub restore_terminal {
    system('stty', $settings) if defined $settings;
    $settings = undef;
}

# --- The connection --------------------------------------------------------------

my ($socket, $in) = (undef, '');

# Returns the next message, or nothing if there is none yet.
sub take_message {
    return if length $in < 5;
    my ($type, $length) = unpack('aN', $in);
    return if length $in < 5 + $length;
    my $data = substr($in, 5, $length);
    substr($in, 0, 5 + $length) = '';
    return ($type, $data);
}

# Reads until there is a message; returns nothing at the end of the connection.
sub wait_for_message {
    while (1) {
        my ($type, $data) = take_message();
        return ($type, $data) if defined $type;
        my $count = sysread($socket, $in, 1 << 16, length $in);
        return if defined $count ? $count == 0 : $! != EINTR;
    }
}

sub write_all {
    my ($to, $bytes) = @_;
    my $offset = 0;
    while ($offset < length $bytes) {
        my $count = syswrite($to, $bytes, length($bytes) - $offset, $offset);
        if (defined $count) { $offset += $count }
        elsif ($! == EAGAIN) { my $w = ''; vec($w, fileno($to), 1) = 1; select(undef, $w, undef, undef) }
        elsif ($! != EINTR) { return 0 }
    }
    return 1;
}

# Asks the server of a directory; returns its first message, or nothing if none
# listens there.
sub request {
    my ($directory) = @_;
    # The path of a socket may have 108 bytes, so a short one is used.
    chdir($directory) or return;
    $socket = IO::Socket::UNIX->new(Peer => 'exec.sock') or return;
    $in = '';
    my $request = message('T', $task);
    $request .= message('C', $_) for @command;
    $request .= message('Y', terminal_size() . ' ' . ($ENV{TERM} // 'dumb')) if $tty;
    write_all($socket, $request . message('G', '')) or return;
    return wait_for_message();
}

# Becomes the command, on this machine.
sub become {
    my ($directory) = @_;
    my (@words, %environment);
    while (my ($type, $data) = wait_for_message()) {
        if ($type eq 'A') { push @words, $data }
        elsif ($type eq 'V' && $data =~ /^([^=]+)=(.*)/s) { $environment{$1} = $2 }
        elsif ($type eq 'X') {
            close $socket;
            chdir($directory) or fail("$directory: $!");
            $environment{TERM} = $ENV{TERM} if $tty && defined $ENV{TERM};
            %ENV = %environment;
            no warnings 'exec';
            exec { $words[0] } @words;
            print STDERR "ob-mesos: $words[0]: $!\n";
            exit 127;
        }
    }
    fail('the server has ended');
}

# Passes input and output on until the command has ended.
sub relay {
    $SIG{PIPE} = 'IGNORE';
    if ($tty && -t STDIN) {
        $settings = `stty -g`;
        chomp $settings;
        system('stty', 'raw', '-echo');
    }
    my $resized = 0;
    $SIG{WINCH} = sub { $resized = 1 };
    $SIG{$_} = sub { restore_terminal(); exit 255 } for qw(TERM HUP);
    my $out = '';         # for the server
    my ($input_open, $ended) = (1, 0);
    $socket->blocking(0);
    while (1) {
        while (my ($type, $data) = take_message()) {
            handle($type, $data);
        }
        handle('L', 'the server has ended') if $ended;
        if ($resized) {
            $resized = 0;
            $out .= message('W', terminal_size());
        }
        my ($readable, $writable) = ('', '');
        vec($readable, fileno($socket), 1) = 1;
        vec($readable, fileno(STDIN), 1) = 1 if $input_open && length $out < 1 << 18;
        vec($writable, fileno($socket), 1) = 1 if length $out;
        next if select($readable, $writable, undef, undef) < 0;
        if (vec($readable, fileno(STDIN), 1) && $input_open) {
            my $count = sysread(STDIN, my $bytes, 1 << 16);
            if ($count) { $out .= message('I', $bytes) }
            elsif (defined $count || ($! != EINTR && $! != EAGAIN)) {
                $input_open = 0;
                $out .= message('E', '');
            }
        }
        if (vec($writable, fileno($socket), 1)) {
            my $count = syswrite($socket, $out);
            if (defined $count) { substr($out, 0, $count) = '' }
            elsif ($! != EINTR && $! != EAGAIN) { $out = ''; $input_open = 0 }
        }
        if (vec($readable, fileno($socket), 1)) {
            my $count = sysread($socket, $in, 1 << 16, length $in);
            $ended = defined $count ? $count == 0 : $! != EINTR && $! != EAGAIN;
        }
    }
}

sub handle {
    my ($type, $data) = @_;
    if ($type eq 'O' || $type eq 'S') {
        return if write_all($type eq 'O' ? \*STDOUT : \*STDERR, $data);
        restore_terminal();
        exit 255;
    }
    restore_terminal();
    exit($data & 127 ? 128 + ($data & 127) : $data >> 8) if $type eq 'Q';
    fail($type eq 'L' ? "the connection to task $task was lost: $data" : $data);
}

my $why = 'no server runs: open a document in Emacs, or start ./ob-mesos serve';
for my $directory (@directories) {
    my ($type, $data) = request($directory) or next;
    become($data) if $type eq 'D';
    relay() if $type eq 'R';
    $why = $data;
    last unless $why =~ /^no task has the id/;
}
fail($why);
