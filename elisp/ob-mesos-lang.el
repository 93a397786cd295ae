;;; ob-mesos-lang.el --- The programs of tasks  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Generates the program of a task from a block, and the value of the block
;; from the output of the task.  A mesos block is expanded by the Babel
;; library of its `:lang'.  For a block of another language, the back end of
;; the language is called twice in a directory of `ob-mesos-file': first to
;; record the process that it starts, which becomes the program of the task;
;; later with the output of the task, to get the value.

;;; Code:

(require 'cl-lib)
(require 'ob)
(require 'ob-ref)
(require 'ob-mesos-args)
(require 'ob-mesos-file)
(require 'ob-mesos-session-programs)
(require 'ob-mesos-task)

(declare-function org-babel-sh-var-to-string "ob-shell" (var &optional sep hline))

(defcustom ob-mesos-languages
  '(("sh" "sh" shell) ("bash" "bash" shell) ("zsh" "zsh" shell)
    ("python" "python3" python) ("python3" "python3" python)
    ("perl" "perl" perl) ("ruby" "ruby" ruby)
    ("R" "Rscript" R) ("node" "node" js) ("js" "node" js)
    ("awk" "awk -f" nil) ("lua" "lua" lua) ("julia" "julia" julia))
  "Languages for `:lang': name, command and Babel library.
The command gets the file with the block's body as its last argument.
The library is what turns `:var' into assignments; nil if none does."
  :type '(repeat (list (string :tag "Language") (string :tag "Command")
                       (choice (const :tag "None" nil)
                               (symbol :tag "Library, without `ob-'"))))
  :group 'ob-mesos)

(defcustom ob-mesos-commands '(("python" . "python3"))
  "Alist of commands of Babel and their names on the agents."
  :type '(alist :key-type string :value-type string)
  :group 'ob-mesos)

(defcustom ob-mesos-files-limit (* 256 1024)
  "The largest total size in bytes of the files that a block can send.
The files are part of the task, whose size Mesos and the kernel limit."
  :type 'integer
  :group 'ob-mesos)

(defconst ob-mesos--result-file ".ob-mesos-value"
  "What a task writes its value into if that is not its output.")

(defconst ob-mesos--own-directory "\"${0%/*}\""
  "What stands for the sandbox in a command; the file with the body is there.")

(defconst ob-mesos--open-sandbox "/proc/self/fd/9/"
  "What stands for the sandbox in a program: a directory that is open.
The name of the sandbox may have quotes, and the agent makes it.")

(defconst ob-mesos--input-file ".ob-mesos-input"
  "The FIFO in the sandbox that `:stdin interactive' reads.")

(defun ob-mesos--language (params)
  "The entry of `ob-mesos-languages' for PARAMS."
  (let ((lang (format "%s" (or (cdr (assq :lang params)) "sh"))))
    (or (assoc lang ob-mesos-languages)
        (ob-mesos--bad "lang" lang
                       (concat "one of " (mapconcat #'car ob-mesos-languages
                                                    ", "))))))

(defun ob-mesos--require-library (lang)
  "Load the Babel library of LANG; return nil if there is none."
  (require (intern (format "ob-%s" (or (nth 2 (assoc lang ob-mesos-languages)) lang)))
           nil t))

(cl-defstruct (ob-mesos--program (:constructor ob-mesos--program-make)
                                 (:copier nil))
  "What a task runs."
  (interpreter nil :documentation "Words; the body's file follows them.")
  (body nil :documentation "Text.")
  (files nil :documentation "Files that are sent with it, (NAME . BYTES) each.")
  (stdin nil :documentation "The text of its standard input, unibyte, or nil.")
  (session nil :documentation "The session it runs in, a plist for the server, or nil."))

;;;; Blocks of the language mesos

(defun org-babel-expand-body:mesos (body params)
  "Expand BODY with the variables of PARAMS, as the language of `:lang' has it."
  (let* ((language (ob-mesos--language params))
         (library (nth 2 language))
         (vars (assq :var params))
         (assign (and library
                      (intern (format "org-babel-variable-assignments:%s"
                                      library)))))
    (when (and vars library)
      (ob-mesos--require-library (car language)))
    (when (and vars (not (and assign (fboundp assign))))
      (user-error "`:var' cannot be passed to %s" (car language)))
    (org-babel-expand-body:generic
     body params
     (when vars
       (if (eq library 'shell)
           (let ((shell-file-name (car language)))
             (funcall assign params))
         (funcall assign params))))))

;;;; Blocks of other languages

(defun ob-mesos--back-end (lang)
  "Return the function of LANG's own back end."
  (let ((function (intern (concat "org-babel-execute:" lang))))
    (cond
     ((member lang '("emacs-lisp" "elisp"))
      (user-error "Blocks of %s run in this Emacs only: they need `:mesos no'" lang))
     ((fboundp function) function)
     ((and (ob-mesos--require-library lang) (fboundp function))
      function)
     (t (user-error "There is no library ob-%s to run %s with: a block that \
does not run needs `:mesos no'" lang lang)))))

(defun ob-mesos--own-params (params)
  "Return PARAMS without what we do ourselves, for another back end."
  (cons '(:session . "none")
        (cl-remove-if (lambda (argument)
                        (memq (car argument)
                              '(:stdin :cmdline :shebang :dir :mesos :session)))
                      params)))

(defun ob-mesos--remote-name (file number)
  "Return the name in the sandbox for FILE, which a back end has written.
An empty file is where the process is to write its value.  NUMBER tells
it from others: its own name is a random one, and the same program must
have the same text."
  (if (string-empty-p (cdr file))
      ob-mesos--result-file
    (format ".ob-mesos-%d%s" number (file-name-extension (car file) t))))

(defun ob-mesos--capture-command (lang body params)
  "Return the program of the back end of LANG for BODY with PARAMS.
It is called in a directory of `ob-mesos-file', where it can start no
process; the command it wants to start is taken down instead, with the
files it has written."
  (let* ((captured (or (ob-mesos-file-capture
                        (lambda ()
                          (funcall (ob-mesos--back-end lang) body
                                   (ob-mesos--own-params params))))
                       (user-error "The back end of %s starts no process \
that could run elsewhere" lang)))
         (_ (ob-mesos--check-one-process lang body params))
         (command (ob-mesos-file-command captured))
         (input (ob-mesos-file-input captured))
         ;; Without `:dir', they are in the working directory.
         (directory (if (cdr (assq :dir params)) ob-mesos--open-sandbox "./"))
         value sent)
    (dolist (file (ob-mesos-file-files captured))
      (when (or (string-search (car file) command)
                (string-search (car file) input))
        (let ((name (ob-mesos--remote-name file (length sent))))
          (if (equal name ob-mesos--result-file)
              (setq value t)
            (push (cons name (encode-coding-string (cdr file) 'utf-8)) sent))
          (setq command (ob-mesos--replace-name
                         (car file) (concat ob-mesos--own-directory "/" name) command)
                input (ob-mesos--replace-name
                       (car file) (concat directory name) input)))))
    (when-let ((graphics (ob-mesos--graphics-file params)))
      ;; Some back ends expand the name.
      (setq input (string-replace (concat ob-mesos-file-directory graphics)
                                  graphics input)))
    (when-let ((name (ob-mesos--in-file params)))
      (let ((sent-name (file-name-nondirectory name)))
        (push (cons sent-name (ob-mesos--bytes name)) sent)
        (setq command (replace-regexp-in-string
                       (format " \\(%s\\)\\(?: \\|\\'\\)" (regexp-quote name))
                       (concat ob-mesos--own-directory "/"
                               (shell-quote-argument sent-name))
                       command t t 1))))
    (ob-mesos--program-make
     :interpreter (ob-mesos--interpreter
                   command value
                   (cond ((string-blank-p input) "")
                         ((or (assq :stdin params) (assq :cmdline params))
                          " \"$0\" \"$@\"")
                         (t " < \"$0\"")))
     :body input :files sent)))

(defun ob-mesos--check-one-process (lang body params)
  "Signal a `user-error' if BODY with PARAMS takes LANG more than one process.
The first would be a compiler, say, and its program is not here to be
run.  The languages that are known to take one are not tried."
  (unless (assoc lang ob-mesos-languages)
    (when (> (ob-mesos-file-processes-of
              (lambda ()
                (funcall (ob-mesos--back-end lang) body
                         (ob-mesos--own-params params))))
             1)
      (user-error "The back end of %s starts more than one process, such as \
a compiler; that cannot be a task" lang))))

(defun ob-mesos--in-file (params)
  "Return the local file that PARAMS name in `:in-file', or nil.
That is the argument of awk and sed for the file to read."
  (let ((name (cdr (assq :in-file params))))
    (and (stringp name) (file-regular-p name) name)))

(defun ob-mesos--replace-name (file name text)
  "Return TEXT with NAME in place of FILE of `ob-mesos-file'."
  (string-replace
   file name
   (string-replace (concat ob-mesos-file--prefix file) name text)))

(defun ob-mesos--interpreter (command value input)
  "Return words that run the shell COMMAND.
With VALUE non-nil what it writes is not its value; that is in a file.
INPUT is shell text that passes the file with the body, \"$0\", to it."
  (let* ((words (split-string command " "))
         (other (assoc (car words) ob-mesos-commands))
         (command (concat (if other
                              (string-join (cons (cdr other) (cdr words)) " ")
                            command)
                          input)))
    (list "sh" "-c"
          (if value
              ;; A program that has failed may have written none.
              (format "%s >&2; status=$?; file=%s/%s
[ $status != 0 -a ! -e \"$file\" ] || cat \"$file\"; exit $status"
                      command ob-mesos--own-directory ob-mesos--result-file)
            (concat "exec " command)))))

(defun ob-mesos--result-from-output (lang text body params)
  "Return the value that the back end of LANG gives to BODY with PARAMS.
TEXT is what the task has written."
  (ob-mesos-file-replay
   (if (ob-mesos--session params) (org-babel-chomp text) text)
   (lambda ()
     (funcall (ob-mesos--back-end lang) body (ob-mesos--own-params params)))))

;;;; What goes along

(defun ob-mesos--bytes (file)
  "The contents of FILE, unibyte."
  (with-temp-buffer
    (set-buffer-multibyte nil)
    (insert-file-contents-literally file)
    (buffer-string)))

(defun ob-mesos--files (params)
  "The files that PARAMS send along with `:files', (NAME . BYTES) each."
  (let ((names (cdr (assq :files params))))
    (mapcar
     (lambda (name)
       (let ((file (expand-file-name (format "%s" name))))
         (unless (file-regular-p file)
           (ob-mesos--bad "files" name "names of files that are there"))
         (cons (file-name-nondirectory file) (ob-mesos--bytes file))))
     ;; Org takes the quotes away from a name that stands alone.
     (if (and (stringp names) (file-exists-p names)) (list names)
       (ob-mesos--words "files" names)))))

(defun ob-mesos--stdin (params)
  "The text of the block or table that PARAMS name in `:stdin', or nil."
  (when-let ((ref (ob-mesos--stdin-reference params)))
    (require 'ob-shell)
    (encode-coding-string
     (org-babel-sh-var-to-string
      (if-let ((known (cdr (assq :stdin-value params))))
          (car known)
        (condition-case err
            (org-babel-ref-resolve ref)
          ;; Of a block that REF names.
          (user-error (signal (car err) (cdr err)))
          (error (user-error "`:stdin' %s: %s" ref (error-message-string err))))))
     'utf-8)))

(defun ob-mesos--heredoc (target bytes &optional own)
  "Shell commands that write BYTES into the file TARGET.
It is in the sandbox if OWN is non-nil, else in the working directory."
  (format "base64 -d > %s%s <<'END'\n%s\nEND\n"
          (if own "\"$sandbox\"/" "")
          (shell-quote-argument target) (base64-encode-string bytes)))

(defun ob-mesos--files-to-send (program params stdin)
  "Return the files of `:files' of PARAMS for PROGRAM with the input STDIN.
Signal a `user-error' if all files are too large, or if those of `:files'
would be written into a directory that is not the task's own."
  (let* ((sent (ob-mesos--files params))
         (dir (cdr (assq :dir params)))
         (size (apply #'+ (length stdin)
                      (mapcar (lambda (file) (length (cdr file)))
                              (append sent (ob-mesos--program-files program))))))
    (when (and sent (ob-mesos--outside-p params)
               ;; A container has directories of its own.
               (not (or (assq :image params) (assq :dockerimage params))))
      (user-error "`:files' are written into the working directory, and that \
of `:dir', %s, is not in the sandbox" dir))
    (when (> size ob-mesos-files-limit)
      (user-error "The files for the block have %d bytes, and %d can be sent \
along: put them where the cluster can read them, or raise `ob-mesos-files-limit'"
                  size ob-mesos-files-limit))
    sent))

(defun ob-mesos--pack (program params)
  "PROGRAM with what PARAMS send along: files, input, arguments, a shebang.
All but those files are in the sandbox: with `:dir', tasks can share the
working directory."
  (let* ((stdin (ob-mesos--stdin params))
         (sent (ob-mesos--files-to-send program params stdin))
         (files (ob-mesos--program-files program))
         (interactive (ob-mesos--interactive-p params))
         (cmdline (cdr (assq :cmdline params)))
         (shebang (cdr (assq :shebang params)))
         (body (ob-mesos--program-body program))
         (names-sandbox (string-search ob-mesos--open-sandbox body)))
    (if (not (or sent files stdin cmdline shebang interactive names-sandbox))
        program
      (ob-mesos--program-make
       :interpreter '("sh")
       :files sent
       :stdin stdin
       :body
       (concat
        (mapconcat (lambda (file) (ob-mesos--heredoc (car file) (cdr file))) sent "")
        "sandbox=${0%/*}\n"
        (mapconcat (lambda (file) (ob-mesos--heredoc (car file) (cdr file) t)) files "")
        (and stdin (ob-mesos--heredoc ".ob-mesos-stdin" stdin t))
        (ob-mesos--heredoc
         ".ob-mesos-block"
         (encode-coding-string (concat (and shebang (concat shebang "\n")) body "\n")
                               'utf-8)
         t)
        (and names-sandbox "exec 9<\"$sandbox\"\n")
        ;; Opened for both, it has no end and waits for no writer.
        (and interactive (format "mkfifo \"$sandbox\"/%s\n" ob-mesos--input-file))
        (and shebang "chmod +x \"$sandbox\"/.ob-mesos-block\n")
        "exec "
        (unless shebang
          (concat (mapconcat #'shell-quote-argument
                             (ob-mesos--program-interpreter program) " ")
                  " "))
        "\"$sandbox\"/.ob-mesos-block"
        (and cmdline (format " %s" cmdline))
        (and stdin " < \"$sandbox\"/.ob-mesos-stdin")
        (and interactive (format " <> \"$sandbox\"/%s" ob-mesos--input-file)))))))

(defun ob-mesos--program (lang body params)
  "What to run for BODY, a block of LANG with PARAMS."
  (if (ob-mesos--session params)
      (ob-mesos--session-program lang body params)
    (ob-mesos--own-program lang body params)))

(defun ob-mesos--session-program (lang body params)
  "What to run for BODY, a block of LANG with PARAMS, in its session."
  (let ((interpreter (ob-mesos-interpreter
                      (ob-mesos--session-language lang params) body
                      (if (equal lang "mesos")
                          (cons '(:result-type . output) params)
                        params))))
    (ob-mesos--program-make
     :interpreter (ob-mesos--interpreter-command interpreter)
     :body (ob-mesos--interpreter-body interpreter)
     :session (ob-mesos--session-item lang interpreter params))))

(defun ob-mesos--own-program (lang body params)
  "What to run for BODY, a block of LANG with PARAMS, in a process of its own."
  (ob-mesos--pack
   (if (equal lang "mesos")
       (ob-mesos--program-make
        :interpreter (split-string-and-unquote
                      (nth 1 (ob-mesos--language params)))
        :body (org-babel-expand-body:mesos body params))
     (ob-mesos--capture-command lang body params))
   (if (or (equal lang "mesos")
           (eq 'shell (nth 2 (assoc lang ob-mesos-languages))))
       params
     ;; Other back ends use it when they tangle only.
     (cl-remove :shebang params :key #'car))))

(provide 'ob-mesos-lang)
;;; ob-mesos-lang.el ends here
