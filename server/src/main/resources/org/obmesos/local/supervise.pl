# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs one command of the embedded cluster, outlives the server if needed, and
# records how the command ended:
#
#   perl supervise.pl META < SPECIFICATION
#
# Perl, because a shell cannot tell "exited with 137" from "killed by signal 9".
#
# The specification is a sequence of fields that each end with a NUL byte: the
# sandbox, the seconds between SIGTERM and SIGKILL, the seconds until the
# command is ended (0 for never), the number of environment variables, that
# many NAME=VALUE fields, and the words of the command.  It comes over stdin
# because arguments are visible to all users of the machine.
#
# META is a directory:
#   pid      this process and the command's process group; created with link(2),
#            so that it exists once and whole or not at all
#   exit     "status N" or "signal N", followed by "killed" or "timeout" if the
#            command was ended
#   cleanup  if it exists, a shell script to run after the command was ended
#
# SIGTERM sends SIGTERM to the command's process group, and SIGKILL later.

use strict;
use warnings;

# A signal to the server's process group, from a terminal say, is not for the
# task.  A low priority keeps the user's editor responsive.
setpgrp(0, 0);
setpriority(0, 0, 10);

my ($meta) = @ARGV;
binmode(STDIN);
my @fields = split(/\0/, do { local $/; <STDIN> // '' }, -1);
pop @fields;
my ($sandbox, $grace, $timeout, $variables) = splice(@fields, 0, 4);
die "the specification is incomplete\n"
    unless defined $variables && @fields > $variables;
my @environment = splice(@fields, 0, $variables);
my @command = @fields;

my $poll = 0.02;
my $longest_poll = 1;
my ($child, $polls_left);
my $why = '';

sub write_meta {
    my ($name, $text) = @_;
    open(my $file, '>', "$meta/$name.new") or die "$meta/$name.new: $!";
    print $file "$text\n";
    close($file) or die "$meta/$name.new: $!";
}

sub stop {
    my ($because) = @_;
    return unless defined $child;
    $why ||= " $because";
    kill 'TERM', -$child;
    $polls_left = int($grace / $poll) unless defined $polls_left;
}

# The handlers write into a pipe, which ends the select below.  Perl runs them
# only at safe points: a signal right before select is handled after it, so the
# timeouts are short at first and never long.
pipe(my $woken, my $wake) or die "pipe: $!";
$SIG{TERM} = sub { stop('killed'); syswrite($wake, 't') };
$SIG{ALRM} = sub { stop('timeout'); syswrite($wake, 'a') };
$SIG{CHLD} = sub { syswrite($wake, 'c') };
$SIG{INT} = $SIG{HUP} = $SIG{PIPE} = 'IGNORE';

pipe(my $go, my $start) or die "pipe: $!";
$child = fork();
die "fork: $!" unless defined $child;
if ($child == 0) {
    close($start);
    setpgrp(0, 0);
    $SIG{$_} = 'DEFAULT' for qw(INT HUP PIPE TERM ALRM CHLD);
    chdir($sandbox) or die "$sandbox: $!";
    open(STDIN, '<', '/dev/null') or die "/dev/null: $!";
    open(STDERR, '>>', 'stderr') or die "stderr: $!";
    open(STDOUT, '>>', 'stdout') or die "stdout: $!";
    # The command starts after this process is recorded.
    exit 1 unless sysread($go, my $word, 1);
    close($go);
    %ENV = map { split(/=/, $_, 2) } @environment;
    no warnings 'exec';
    exec { $command[0] } @command;
    print STDERR "Failed to execute '$command[0]': $!\n";
    exit 1;
}
close($go);
setpgrp($child, $child);

write_meta('pid', "$$ $child");
if (!link("$meta/pid.new", "$meta/pid")) {
    # A later server has abandoned this launch.
    kill 'KILL', $child;
    exit 1;
}
unlink "$meta/pid.new";
syswrite($start, 'x');
close($start);
alarm($timeout) if $timeout;
{
    local $| = 1;
    print "$child\n";
}
close(STDOUT);

my $interval = $poll;
until (waitpid($child, 1) == $child) {
    vec(my $ready = '', fileno($woken), 1) = 1;
    $interval = $interval * 2 < $longest_poll ? $interval * 2 : $longest_poll;
    if (select($ready, undef, undef, defined $polls_left ? $poll : $interval) > 0) {
        sysread($woken, my $signals, 64);
    }
    elsif (defined $polls_left && $polls_left-- == 0) {
        kill 'KILL', -$child;
    }
}
my $status = $?;

# Processes that the command left in its group end with it.
kill 'KILL', -$child;
system('/bin/sh', "$meta/cleanup") if $why && -e "$meta/cleanup";
write_meta('exit', ($status & 127 ? 'signal ' . ($status & 127) : 'status ' . ($status >> 8)) . $why);
rename("$meta/exit.new", "$meta/exit") or die "$meta/exit: $!";
