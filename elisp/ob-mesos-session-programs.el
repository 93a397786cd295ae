;;; ob-mesos-session-programs.el --- The languages that have sessions  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; For each language that has sessions, a method of `ob-mesos-interpreter'
;; and the program that its interpreter runs.  A program reads requests,
;; runs blocks and writes their exit statuses as described in
;; ob-mesos-interpreter.el.  Where the interpreter permits it, SIGINT is
;; held back until the block runs: an interrupt that comes right after a
;; request is for that block.

;;; Code:

(require 'json)
(require 'ob)
(require 'ob-mesos-interpreter)

(declare-function org-babel-python-format-session-value "ob-python"
                  (src-file result-file result-params))
(declare-function org-babel-variable-assignments:python "ob-python" (params))
(declare-function org-babel-variable-assignments:shell "ob-shell" (params))
(declare-function org-babel-variable-assignments:ruby "ob-ruby" (params))
(declare-function org-babel-expand-body:R "ob-R" (body params &optional graphics-file))
(declare-function org-babel-R-construct-graphics-device-call "ob-R" (out-file params))
(declare-function org-babel-variable-assignments:js "ob-js" (params))
(declare-function org-babel-variable-assignments:octave "ob-octave" (params))

(defvar org-babel-python--def-format-value)
(defvar org-babel-python--output-graphics-wrapper)
(defvar org-babel-js-cmd)
(defvar org-babel-octave-shell-command)
(defvar org-babel-octave-wrapper-method)
(defvar org-babel-R-write-object-command)
(defvar org-babel-shell-results-defaults-to-output)

;;;; Python

(defconst ob-mesos--python-program "\
def ob_mesos_session():
    import os, select, signal, sys, traceback, types
    module = types.ModuleType('__main__')
    sys.modules['__main__'] = module
    requests = os.fdopen(os.dup(0), 'rb', 0)
    answers = os.fdopen(os.dup(3), 'w')
    os.close(3)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    own = [os.dup(1), os.dup(2)]
    process = os.getpid()
    requested = interrupted = False

    def interrupt(number, frame):
        # The interrupt is also for a request that was not read yet.
        nonlocal interrupted
        interrupted = requested or bool(select.select([requests], [], [], 0)[0])

    def redirect(files):
        sys.stdout.flush()
        sys.stderr.flush()
        for target, file in enumerate(files, 1):
            os.dup2(file, target)

    def report():
        # Without the frame of this program.
        kind, value, frames = sys.exc_info()
        traceback.print_exception(kind, value, frames.tb_next)

    def execute(directory):
        try:
            with open(directory + '/.block', encoding='utf-8') as file:
                text = file.read()
            signal.signal(signal.SIGINT, signal.default_int_handler)
            if interrupted:
                raise KeyboardInterrupt
            exec(compile(text, '<block>', 'exec'), module.__dict__)
            return 0
        except SystemExit as end:
            if end.code is None or isinstance(end.code, int):
                return (end.code or 0) & 255
            print(end.code, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            report()
            return 130
        except BaseException:
            report()
            return 1

    def run(directory):
        files = [os.open(directory + name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                 for name in ('/stdout', '/stderr')]
        redirect(files)
        try:
            status = execute(directory)
            signal.signal(signal.SIGINT, interrupt)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, interrupt)
            status = 130
        redirect(own)
        for file in files:
            os.close(file)
        return status

    signal.signal(signal.SIGINT, interrupt)
    while True:
        select.select([requests], [], [])
        requested = True
        request = requests.readline()
        if not request:
            os._exit(0)
        status = run(os.fsdecode(request[:-1]))
        if os.getpid() != process:
            # A block has forked; its child has no part in the session.
            os._exit(status)
        requested = interrupted = False
        answers.write('%d\\n' % status)
        answers.flush()

ob_mesos_session()
"
  "The program of a Python session.")

(cl-defmethod ob-mesos-interpreter ((_lang (eql python)) body params)
  "Return the interpreter for BODY, of Python, with PARAMS."
  (require 'ob-python)
  (let ((full (if params
                  (concat (org-babel-expand-body:generic
                           body params (org-babel-variable-assignments:python params))
                          (when-let ((return (and (ob-mesos--value-p params)
                                                  (cdr (assq :return params)))))
                            (concat "\n" return)))
                (format "exec(compile(%s, '<repl>', 'single'))"
                        (ob-mesos--literal (concat body "\n")))))
        (source (concat ob-mesos--task-directory ".ob-mesos-source"))
        (graphics (ob-mesos--graphics-file params)))
    (when (and graphics (not (boundp 'org-babel-python--output-graphics-wrapper)))
      (user-error "Python blocks make graphics from Org 9.7 on"))
    (ob-mesos--interpreter-make
     :command (append (split-string-and-unquote
                       (or (cdr (assq :python params)) "python3"))
                      (list "-u" "-c" ob-mesos--python-program))
     :value (ob-mesos--value-p params)
     :body
     (if (eq 'value (cdr (assq :result-type params)))
         (concat
          (and (boundp 'org-babel-python--def-format-value)
               (concat org-babel-python--def-format-value "\n"))
          (format "with open('%s', 'w', encoding='utf-8') as __org_babel_python_tmpfile:
    __org_babel_python_tmpfile.write(%s)\n"
                  source (ob-mesos--literal full))
          (let* ((file (if graphics (expand-file-name graphics) ob-mesos--value-file))
                 (code (org-babel-python-format-session-value
                        source file (cdr (assq :result-params params)))))
            (if graphics (string-replace file graphics code) code)))
       (if graphics
           (format org-babel-python--output-graphics-wrapper full graphics)
         full)))))

;;;; Shells

(defun ob-mesos--shell-body (shell body params)
  "Return BODY with PARAMS as SHELL, a string, is to run it."
  (require 'ob-shell)
  (if (null params)
      body
    (let ((shell-file-name shell))
      (org-babel-expand-body:generic
       (concat body
               (and (member "value" (cdr (assq :result-params params)))
                    ;; It is not in blocks of the language mesos.
                    (eq 'value (cdr (assq :result-type params)))
                    "\necho $?"))
       params (org-babel-variable-assignments:shell params)))))

(defconst ob-mesos--bash
  "exec env PS1= PS2= HISTFILE= \
ob_mesos_prompt='[ -z \"$ob_mesos_runs\" ] || { ob_mesos_runs=; echo 130 >&3; }' \
bash %s --norc --noprofile --noediting -i +H"
  "A shell command that starts bash for a session; %s is more options.
An interactive bash goes on after SIGINT, without the rest of the line;
then only, PROMPT_COMMAND answers.")

(defconst ob-mesos--shell-request
  "PROMPT_COMMAND=$ob_mesos_prompt; ob_mesos_runs=1; \
command . \"%s/.block\" >>\"%s/stdout\" 2>>\"%s/stderr\" </dev/null 3>&-; \
ob_mesos_status=$?; ob_mesos_runs=; PROMPT_COMMAND=$ob_mesos_prompt; echo $ob_mesos_status >&3"
  "The line that makes a shell run a block.")

(cl-defmethod ob-mesos-interpreter ((_lang (eql bash)) body params)
  "Return the interpreter for BODY, of bash, with PARAMS."
  (ob-mesos--interpreter-make
   :command (list "sh" "-c" (format ob-mesos--bash ""))
   :request ob-mesos--shell-request
   :body (ob-mesos--shell-body "bash" body params)))

(cl-defmethod ob-mesos-interpreter ((_lang (eql sh)) body params)
  "Return the interpreter for BODY, of sh, with PARAMS.
It is bash in POSIX mode where there is one: another shell cannot stop a
block without running the rest of it, so that SIGINT ends the session."
  (ob-mesos--interpreter-make
   :command (list "sh" "-c"
                  (concat "if command -v bash >/dev/null; then " (format ob-mesos--bash "--posix") "; fi
trap 'exit 130' INT
while IFS= read -r ob_mesos_line; do eval \"$ob_mesos_line\"; done"))
   :request ob-mesos--shell-request
   :body (ob-mesos--shell-body "sh" body params)))

(cl-defmethod ob-mesos-interpreter ((_lang (eql shell)) body params)
  "Return the interpreter for BODY, of the language shell, with PARAMS."
  (ob-mesos-interpreter 'sh body params))

;;;; R

(defconst ob-mesos--R-program "\
local({
  requests <- file('stdin', 'r')
  answers <- file('/dev/fd/3', 'w')
  options(warn = 1, echo = FALSE)
  run <- function(task) {
    out <- file(file.path(task, 'stdout'), 'a')
    err <- file(file.path(task, 'stderr'), 'a')
    sink(out)
    sink(err, type = 'message')
    on.exit({
      sink(type = 'message')
      sink()
      close(out)
      close(err)
    })
    tryCatch({
      allowInterrupts(source(file.path(task, '.block'), local = globalenv(),
                             print.eval = TRUE, encoding = 'UTF-8'))
      0L
    }, interrupt = function(e) 130L, error = function(e) {
      message('Error: ', conditionMessage(e))
      1L
    })
  }
  # Compiling the functions above takes long enough to be interrupted.
  suspendInterrupts(repeat {
    task <- NULL
    tryCatch(allowInterrupts(task <- readLines(requests, 1)), interrupt = function(e) NULL)
    if (is.null(task)) next
    if (length(task) == 0) quit('no')
    status <- run(task)
    cat(status, '\\n', sep = '', file = answers)
    flush(answers)
  })
})
"
  "The program of an R session.")

(cl-defmethod ob-mesos-interpreter ((_lang (eql R)) body params)
  "Return the interpreter for BODY, of R, with PARAMS."
  (require 'ob-R)
  (let ((full (if params (org-babel-expand-body:R body params) body))
        (columns (equal "yes" (cdr (assq :colnames params))))
        (rows (equal "yes" (cdr (assq :rownames params))))
        (graphics (ob-mesos--graphics-file params)))
    (ob-mesos--interpreter-make
     :command (list "Rscript" "--vanilla" "-e" ob-mesos--R-program)
     :value (ob-mesos--value-p params)
     :body
     (cond
      (graphics
       (concat (org-babel-R-construct-graphics-device-call graphics params)
               "
(function(it) { if (it$visible) print(it$value); invisible() })(withVisible({
" full "
}))
}, finally = dev.off())"))
      ((ob-mesos--value-p params)
       (format org-babel-R-write-object-command
               (if rows "TRUE" "FALSE")
               (cond ((not columns) "FALSE") (rows "NA") (t "TRUE"))
               (format "{eval(parse(text=%s, encoding='UTF-8'), envir=globalenv())}"
                       (ob-mesos--literal full))
               ob-mesos--value-file))
      (t full)))))

;;;; Octave

(defconst ob-mesos--octave-program "\
function ob_mesos_evaluate (text)
  % A block that returns, returns from here.
  evalin ('base', text);
endfunction
function ob_mesos_run (task)
  status = 130;
  files = [fopen([task '/stdout'], 'a'), fopen([task '/stderr'], 'a'), ...
           fopen('/dev/fd/0', 'r'), fopen('/dev/null', 'r')];
  unwind_protect
    dup2 (files(4), stdin);
    dup2 (files(1), stdout);
    dup2 (files(2), stderr);
    try
      ob_mesos_evaluate (fileread ([task '/.block']));
      status = 0;
    catch err
      fprintf (stderr, 'error: %s\\n', err.message);
      status = 1;
    end_try_catch
  unwind_protect_cleanup
    fflush (stdout);
    files(5) = fopen ('/dev/null', 'a');
    dup2 (files(3), stdin);
    dup2 (files(5), stdout);
    dup2 (files(5), stderr);
    files(6) = fopen ('/dev/fd/3', 'w');
    fprintf (files(6), '%d\\n', status);
    arrayfun (@fclose, files);
  end_unwind_protect
endfunction
"
  "The program of an Octave session.")

(defconst ob-mesos--octave-request "\
if (! exist ('ob_mesos_run')), eval (getenv ('OB_MESOS_PROGRAM')); endif, ob_mesos_run ('%s');"
  "The line that makes Octave run a block; `clear all' clears functions.")

(cl-defmethod ob-mesos-interpreter ((_lang (eql octave)) body params)
  "Return the interpreter for BODY, of Octave, with PARAMS."
  (require 'ob-octave)
  (let ((full (org-babel-expand-body:generic
               body params (org-babel-variable-assignments:octave params)))
        (graphics (ob-mesos--graphics-file params)))
    (ob-mesos--interpreter-make
     :command (append (list "env" (concat "OB_MESOS_PROGRAM=" ob-mesos--octave-program))
                      (split-string-and-unquote org-babel-octave-shell-command)
                      (list "--no-line-editing"))
     :request ob-mesos--octave-request
     :value (ob-mesos--value-p params)
     :body
     (cond
      (graphics
       (format "set (0, 'defaultfigurevisible', 'off');\n%s\nprint ('-dpng', '%s');"
               full graphics))
      ((ob-mesos--value-p params)
       (format org-babel-octave-wrapper-method
               ;; Otherwise it could be the value of an earlier block.
               (concat "ans = '';\n" full)
               ob-mesos--value-file ob-mesos--value-file))
      (t full)))))

;;;; Ruby

(defconst ob-mesos--ruby-program "\
requests = $stdin.dup
answers = IO.for_fd(3, 'w')
answers.sync = true
$stdin.reopen(File::NULL)
own = [$stdout.dup, $stderr.dup]
process = Process.pid
requested = interrupted = false
# The interrupt is also for a request that was not read yet.
interrupt = proc { interrupted = requested || !IO.select([requests], nil, nil, 0).nil? }
execute = lambda do |task|
  Signal.trap('INT', 'DEFAULT')
  raise Interrupt, '' if interrupted
  eval(File.read(task + '/.block', encoding: 'UTF-8'), TOPLEVEL_BINDING, '<block>')
  0
rescue Interrupt
  130
rescue SystemExit => e
  e.status
rescue Exception => e
  $stderr.puts e.full_message(highlight: false)
  1
end
Signal.trap('INT', interrupt)
loop do
  IO.select([requests])
  requested = true
  request = requests.gets
  exit!(0) unless request
  task = request.chomp
  $stdout.reopen(task + '/stdout', 'a')
  $stderr.reopen(task + '/stderr', 'a')
  $stdout.sync = $stderr.sync = true
  status = begin
    result = execute.call(task)
    Signal.trap('INT', interrupt)
    result
  rescue Interrupt
    Signal.trap('INT', interrupt)
    130
  end
  exit!(status) if Process.pid != process
  $stdout.reopen(own[0])
  $stderr.reopen(own[1])
  requested = interrupted = false
  answers.puts(status)
end
"
  "The program of a Ruby session.")

(cl-defmethod ob-mesos-interpreter ((_lang (eql ruby)) body params)
  "Return the interpreter for BODY, of Ruby, with PARAMS."
  (require 'ob-ruby)
  (let ((full (if params
                  (org-babel-expand-body:generic
                   body params (org-babel-variable-assignments:ruby params))
                (format "p eval(%s, TOPLEVEL_BINDING)" (ob-mesos--literal body)))))
    (ob-mesos--interpreter-make
     :command (list (or (cdr (assq :ruby params)) "ruby") "-e" ob-mesos--ruby-program)
     :value (ob-mesos--value-p params)
     :body
     (if (ob-mesos--value-p params)
         (format "value = eval(%s, TOPLEVEL_BINDING)
File.write('%s', %s)"
                 (ob-mesos--literal full) ob-mesos--value-file
                 (if (member "pp" (cdr (assq :result-params params)))
                     "(require 'pp'; value.pretty_inspect)"
                   "value.class == String ? value : value.inspect"))
       full))))

;;;; JavaScript

(defconst ob-mesos--js-program "\
(() => {
  const fs = require('fs'), vm = require('vm'), util = require('util');
  const open = (name, flags) => fs.openSync(name, flags, 0o600);
  // A file gets the lowest descriptor that is free.
  const redirect = (descriptor, name, flags) => {
    fs.closeSync(descriptor);
    if (open(name, flags) !== descriptor) throw new Error(name + ' has another descriptor');
  };
  const requests = open('/dev/fd/0', 'r');
  const answers = open('/dev/fd/3', 'w');
  fs.closeSync(3);
  redirect(0, '/dev/null', 'r');
  // A block that was interrupted can leave a server, say, for which Node never exits.
  let task = null, running = false, status = 0, waitsForAll = true;

  function fail(error) {
    status = 1;
    const text = error instanceof Error ? error.stack : util.inspect(error);
    process.stderr.write(text.replace(/\\n    at [^\\n]*(node:vm|Script\\.runInThisContext)[^]*$/, '') + '\\n');
  }

  function next() {
    const bytes = [], byte = Buffer.alloc(1);
    while (fs.readSync(requests, byte, 0, 1, null) === 1 && byte[0] !== 10) bytes.push(byte[0]);
    if (bytes.length === 0) process.exit(0);
    task = Buffer.from(bytes).toString();
    setImmediate(run);
  }

  function end() {
    if (!running) return;
    running = false;
    redirect(1, '/dev/null', 'a');
    redirect(2, '/dev/null', 'a');
    fs.writeSync(answers, status + '\\n');
    next();
  }

  function settled() {
    if (!waitsForAll && running) setImmediate(end);
  }

  function run() {
    running = true;
    status = 0;
    redirect(1, task + '/stdout', 'a');
    redirect(2, task + '/stderr', 'a');
    try {
      const value = vm.runInThisContext(fs.readFileSync(task + '/.block', 'utf8'),
                                        { filename: '<block>', breakOnSigint: true });
      if (value && typeof value.then === 'function') value.then(() => {}, fail).then(settled);
      else settled();
    } catch (error) {
      if (error && error.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') status = 130;
      else fail(error);
      settled();
    }
  }

  process.on('uncaughtException', fail);
  process.on('SIGINT', () => {
    if (!running) return;
    waitsForAll = false;
    status = 130;
    end();
  });
  process.on('beforeExit', end);
  next();
})();
"
  "The program of a JavaScript session.")

(cl-defmethod ob-mesos-interpreter ((_lang (eql js)) body params)
  "Return the interpreter for BODY, of JavaScript, with PARAMS."
  (require 'ob-js)
  (let* ((full (org-babel-expand-body:generic
                body params (org-babel-variable-assignments:js params)))
         ;; What `eval' declares with const and let is gone after it.
         (value (format "require('util').inspect(await require('vm').runInThisContext(
  %s, { filename: '<block>' }))" (ob-mesos--literal full))))
    (ob-mesos--interpreter-make
     :command (list (or (cdr (assq :cmd params)) org-babel-js-cmd)
                    "-e" ob-mesos--js-program)
     :value (ob-mesos--value-p params)
     :body
     (cond
      ((null params)
       (format "(async () => console.log(%s))()" value))
      ((ob-mesos--value-p params)
       (format "(async () => require('fs').writeFileSync('%s', %s))()"
               ob-mesos--value-file value))
      (t full)))))

(provide 'ob-mesos-session-programs)
;;; ob-mesos-session-programs.el ends here
