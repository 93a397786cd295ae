;;; ob-mesos-args.el --- Header arguments  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Checks what a block asks for, and says what is wrong with it before
;; anything is launched.


;;; Code:

(require 'cl-lib)
(require 'ob-mesos-rpc)

(defcustom ob-mesos-cpus 0.1
  "Cpus for a block that does not say."
  :type 'number
  :group 'ob-mesos)

(defcustom ob-mesos-mem 128
  "Memory in MiB for a block that does not say."
  :type 'number
  :group 'ob-mesos)

(defconst ob-mesos--arguments
  '((master nil any nil
            "where it runs: local, host:port, http(s)://host:port, zk://...")
    (cpus (cpu) (number above 0) :cpus "cpus, a number")
    (mem nil size :mem "memory in MiB, or with a unit: 512M, 2G")
    (disk nil size :disk "disk in MiB, or with a unit")
    (gpus nil (whole 0 10000) :gpus "GPUs, a whole number")
    (lang nil any nil "language of the body; sh if not given")
    (env nil environment :environment "environment: NAME=VALUE words")
    (priority nil (whole -1000 1000) :priority
              "place in the queue, from -1000 to 1000; higher goes first")
    (kill-grace nil (number from 0) :killGrace
                "seconds between TERM and KILL; 3 if not given")
    (timeout nil (number above 0) :timeout
             "seconds after which the task is ended")
    (attempts nil (whole 1 1000) :attempts
              "how often it may run until it succeeds; 1 if not given")
    (agent nil word :agent "name of the host it must run on")
    (after (requires) any nil "names of blocks that must have finished")
    (instances nil (whole 1 10000) nil
               "how many copies to run; each has OB_MESOS_INDEX, OB_MESOS_COUNT")
    (foreach nil any nil "NAME=LIST, TABLE or BLOCK: a task for each element")
    (files nil any nil "names of files to send along")
    (fetch nil any nil
           "names of files of the task to bring into the document's directory")
    (stdin nil any nil "the block or table whose value is the input")
    (cmdline nil any nil "arguments, as a shell has them")
    (shebang nil any nil "first line of the body, which is then run by itself")
    (mesos nil (one-of "yes" "no") nil
           "yes: on the cluster, in any language; see `ob-mesos-mode'")
    (wait nil (one-of "yes" "no") nil "yes to wait for the result")
    (tail nil (whole 0 100) :tailLines
          "last lines to show while it runs; 10 if not given"))
  "Our header arguments: name, synonyms, type, field of a block, meaning.
The field is the server's word for the value; nil if Emacs uses it itself.
The types are those of `ob-mesos--checked'.")

(defconst ob-mesos--header-arguments
  (mapcan (lambda (argument)
            (pcase-let ((`(,name ,synonyms ,_ ,_ ,meaning) argument))
              (cons (cons name meaning)
                    (mapcar (lambda (synonym)
                              (cons synonym (format "the same as %s" name)))
                            synonyms))))
          ob-mesos--arguments)
  "The names of our header arguments and what each means.")

(defconst ob-mesos--later-arguments
  '(:ports :image :dockerimage :dockerize :containerizer :network
    :expose :volumes :privileged :pull :uris :user
    :constraints :role :ensure)
  "Header arguments that mean something which is not there yet.")

;;;; Values

(defun ob-mesos--bad (name value allowed)
  "Signal that header argument NAME cannot be VALUE, but must be ALLOWED."
  (user-error "`:%s' cannot be %S: it is %s" name value allowed))

(defun ob-mesos--number (name value relation bound)
  "VALUE of header argument NAME as a number.
RELATION is `above' or `from', and BOUND what it is above, or begins from."
  (let ((number (cond ((numberp value) value)
                      ((and (stringp value)
                            (string-match-p "\\`-?[0-9]+\\(?:\\.[0-9]+\\)?\\'"
                                            value))
                       (string-to-number value)))))
    (if (and number (< number 1e9)
             (if (eq relation 'from) (>= number bound) (> number bound)))
        number
      (ob-mesos--bad name value
                     (format (if (eq relation 'from) "a number, at least %d"
                               "a number above %d")
                             bound)))))

(defun ob-mesos--whole (name value least most)
  "VALUE of header argument NAME as a whole number from LEAST to MOST."
  (if (and (integerp value) (<= least value most))
      value
    (ob-mesos--bad name value
                   (format "a whole number from %d to %d" least most))))

(defun ob-mesos--size (name value)
  "VALUE of header argument NAME as a number of MiB."
  (let* ((case-fold-search t)
         (text (format "%s" value))
         (size (and (string-match "\\`\\([0-9]+\\(?:\\.[0-9]+\\)?\\) ?\\([kmgt]?\\)i?b?\\'"
                                  text)
                    (* (string-to-number (match-string 1 text))
                       (pcase (downcase (match-string 2 text))
                         ("k" (/ 1.0 1024)) ("g" 1024) ("t" (* 1024 1024)) (_ 1))))))
    (if (and size (< 0 size 1e9)) size
      (ob-mesos--bad name value "a size in MiB, or with a unit: 512M, 2G"))))

(defun ob-mesos--words (name value)
  "VALUE of header argument NAME as a list: a list, or words as Lisp has them."
  (if (listp value) value
    (condition-case nil
        (split-string-and-unquote (format "%s" value))
      (error (ob-mesos--bad name value "words, or strings in quotes")))))

(defun ob-mesos--environment (name value)
  "VALUE of header argument NAME as a hash table of variables."
  (let ((table (make-hash-table :test #'equal)))
    (dolist (word (ob-mesos--words name value))
      (if (and (stringp word)
               (string-match "\\`\\([A-Za-z_][A-Za-z0-9_]*\\)=\\(\\(?:.\\|\n\\)*\\)\\'"
                             word))
          (puthash (match-string 1 word) (match-string 2 word) table)
        (ob-mesos--bad name word "NAME=VALUE")))
    table))

(defun ob-mesos--word (name value)
  "VALUE of header argument NAME as a word."
  (let ((text (format "%s" value)))
    (if (and (atom value) (string-match-p "\\`[^ \t\n\0]+\\'" text)) text
      (ob-mesos--bad name value "one word"))))

(defun ob-mesos--checked (name type value)
  "VALUE of header argument NAME, of TYPE, as the server wants it.
TYPE is (number RELATION BOUND), (whole LEAST MOST), (one-of WORD...),
`size', `environment', `word' or `any'."
  (pcase type
    (`(number ,relation ,bound) (ob-mesos--number name value relation bound))
    (`(whole ,least ,most) (ob-mesos--whole name value least most))
    (`(one-of . ,words)
     (if (member (format "%s" value) words) value
       (ob-mesos--bad name value (string-join words " or "))))
    ('size (ob-mesos--size name value))
    ('environment (ob-mesos--environment name value))
    ('word (ob-mesos--word name value))
    ('any value)))

(defun ob-mesos--argument (argument params)
  "The value of ARGUMENT, a row of `ob-mesos--arguments', in PARAMS, checked.
Return nil if there is none."
  (pcase-let ((`(,name ,synonyms ,type . ,_) argument))
    (cl-loop for each in (cons name synonyms)
             for value = (cdr (assq (intern (format ":%s" each)) params))
             when value return (ob-mesos--checked each type value))))

(defun ob-mesos--resources (params)
  "What PARAMS ask of the cluster, as a part of a block for the server.
All of our header arguments are checked."
  (dolist (argument ob-mesos--later-arguments)
    (when (assq argument params)
      (user-error "`%s' cannot be used in this version" argument)))
  (let ((asked (list :cpus ob-mesos-cpus :mem ob-mesos-mem)))
    (dolist (argument ob-mesos--arguments asked)
      (let ((field (nth 3 argument))
            (value (ob-mesos--argument argument params)))
        (when (and field value)
          (setq asked (plist-put asked field value)))))))

;;;; Completion

(defun ob-mesos--header-line-p ()
  "Whether point is where header arguments of a cluster's block are."
  (save-excursion
    (let ((case-fold-search t))
      (beginning-of-line)
      (or (looking-at-p "[ \t]*#\\+begin_src[ \t]+mesos\\_>")
          (looking-at-p "[ \t]*#\\+begin_src[ \t].*:mesos[ \t]+yes\\_>")
          (looking-at-p "[ \t]*#\\+\\(?:header\\|call\\|property\\):")))))

(defun ob-mesos-completion-at-point ()
  "Complete the header argument before point; for `completion-at-point-functions'."
  (when (and (ob-mesos--header-line-p)
             (looking-back "[ \t]\\(:[a-z-]*\\)" (line-beginning-position)))
    (list (match-beginning 1) (point)
          (mapcar (lambda (argument) (format ":%s" (car argument)))
                  ob-mesos--header-arguments)
          :exclusive 'no
          :annotation-function
          (lambda (name)
            (concat "  " (cdr (assq (intern (substring name 1))
                                    ob-mesos--header-arguments)))))))

;;;###autoload
(defun ob-mesos-insert-header-args (name value)
  "Insert the header argument NAME with VALUE at the end of the line."
  (interactive
   (let ((name (completing-read
                "Header argument: "
                (mapcar (lambda (argument) (symbol-name (car argument)))
                        ob-mesos--header-arguments)
                nil t)))
     (list name
           (read-string (format ":%s (%s): " name
                                (cdr (assq (intern name)
                                           ob-mesos--header-arguments)))))))
  (end-of-line)
  (delete-horizontal-space)
  (insert (format " :%s %s" name value)))

(provide 'ob-mesos-args)
;;; ob-mesos-args.el ends here
