;;; ob-mesos-batch.el --- Documents from a shell  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The commands `./ob-mesos run' and `./ob-mesos export', in batch Emacs.

;;; Code:

(require 'cl-lib)
(require 'org)
(require 'ob-mesos-export)

(defun ob-mesos--wait-for (tasks)
  "Wait for TASKS and show how far they are; return those that have failed."
  (ob-mesos--tell-progress tasks)
  (let ((left tasks))
    (ob-mesos--wait (lambda ()
                      (while (and left (ob-mesos-task-done (car left)))
                        (pop left))
                      (null left))))
  (cl-remove-if-not #'ob-mesos-task-failed-p tasks))

(defun ob-mesos--tell-of-cluster (server)
  "Print the state of the cluster of SERVER on stderr."
  (ob-mesos--progress
   (format "ob-mesos: %s" (or (ob-mesos--server-trouble server)
                              (concat "connected to "
                                      (ob-mesos--master-to-show
                                       (ob-mesos--server-master server)))))
   t))

(defun ob-mesos--tell-of-waiting (task)
  "Print why TASK waits on stderr, if it does and there is a reason.
Servers tell of tasks of other documents, too."
  (when (and (equal (plist-get task :state) "QUEUED")
             (gethash (plist-get task :id) ob-mesos--tasks))
    (let ((why (plist-get task :message)))
      (unless (member why '(nil ""))
        (ob-mesos--progress
         (format "ob-mesos: %s %s%s" (plist-get task :id)
                 (if (string-prefix-p "waits" why) "" "waits: ") why)
         t)))))

(define-error 'ob-mesos-usage "Wrong command line" 'user-error)

(defun ob-mesos--wrong-usage (format &rest values)
  "Signal that the command line is wrong; FORMAT and VALUES say why."
  (signal 'ob-mesos-usage (list (apply #'format-message format values))))

(defun ob-mesos--document (file)
  "The buffer of FILE, a document named on the command line, or nil."
  (unless file
    (ob-mesos--wrong-usage "Name a document"))
  (unless (and (file-readable-p file) (not (file-directory-p file)))
    (ob-mesos--wrong-usage "There is no document %s" file))
  (let ((buffer (find-file-noselect (expand-file-name file))))
    (with-current-buffer buffer
      (unless (derived-mode-p 'org-mode)
        (org-mode)))
    buffer))

(defun ob-mesos--allow-edits (print)
  "Make the document writable if PRINT is non-nil, for then it is not saved.
Otherwise signal a `user-error' if its file is write-protected."
  (when buffer-read-only
    (unless print
      (user-error "%s is write-protected; --stdout prints the document instead"
                  (file-name-nondirectory buffer-file-name)))
    (setq buffer-read-only nil)))

(defun ob-mesos--take-blocks (languages)
  "Make `:mesos yes' the default for blocks of LANGUAGES in this buffer."
  (dolist (language languages)
    (let ((defaults (intern (concat "org-babel-default-header-args:" language))))
      (set (make-local-variable defaults)
           (cons '(:mesos . "yes")
                 (and (boundp defaults) (symbol-value defaults)))))))

(defun ob-mesos--require-languages ()
  "Load the Babel libraries of the languages in this buffer."
  (org-with-wide-buffer
   (goto-char (point-min))
   (let ((case-fold-search t))
     (while (re-search-forward
             "^[ \t]*#\\+begin_src[ \t]+\\([^ \t\n]+\\)\\|\\_<src_\\([^][{} \t\n]+\\)"
             nil t)
       (let ((language (or (match-string-no-properties 1)
                           (match-string-no-properties 2))))
         (unless (fboundp (intern (concat "org-babel-execute:" language)))
           (condition-case err
               (ob-mesos--require-library language)
             (error (message "ob-mesos: the library of %s cannot be loaded: %s"
                             language (error-message-string err))))))))))

(defun ob-mesos--words-and-options (words options)
  "WORDS of the command line as (PLAIN-WORDS MASTER . OPTIONS-GIVEN).
Signal `ob-mesos-usage' if one is none of OPTIONS."
  (let (plain master given)
    (while words
      (let ((word (pop words)))
        (cond ((equal word "--master")
               (setq master (or (pop words)
                              (ob-mesos--wrong-usage "--master needs an address"))))
              ((not (string-prefix-p "--" word)) (push word plain))
              ((member word options) (push word given))
              (t (ob-mesos--wrong-usage "There is no option %s" word)))))
    (cons (nreverse plain) (cons master given))))

(defun ob-mesos--batch (options function)
  "Call FUNCTION in the buffer of the file named on the command line.
Its arguments are the other words and the given ones of OPTIONS; it
returns non-nil if a block has failed, and the exit status is 1 then.
It is 2 if the command line is wrong.
--master overrides the master of the file.  With --all-blocks, blocks of
all languages in `ob-mesos-languages' run on the cluster; in a file that
names a master, those of the shell do."
  (let ((words command-line-args-left)
        (org-confirm-babel-evaluate nil)
        (inhibit-message t)
        (failed t))
    ;; No other Emacs could insert their results.
    (setq ob-mesos-on-exit 'kill)
    (add-hook 'ob-mesos-cluster-functions #'ob-mesos--tell-of-cluster)
    (add-hook 'ob-mesos-status-functions #'ob-mesos--tell-of-waiting)
    (setq command-line-args-left nil)
    (condition-case err
        (pcase-let* ((`((,file . ,more) ,master . ,given)
                      (ob-mesos--words-and-options
                       words (cons "--all-blocks" options)))
                     (ob-mesos--master-above-all master))
          (with-current-buffer (ob-mesos--document file)
            (buffer-disable-undo)
            (ob-mesos--require-languages)
            (ob-mesos-global-mode)
            (ob-mesos--take-blocks
             (cond ((member "--all-blocks" given)
                    (mapcar #'car ob-mesos-languages))
                   ((ob-mesos--find-keyword ob-mesos--master-keyword)
                    '("sh" "bash" "shell"))))
            (setq failed (funcall function more given))))
      ((error quit)
       (let* ((inhibit-message nil)
              (usage (eq 'ob-mesos-usage (car err))))
         (message "ob-mesos: %s" (if usage (cadr err) (error-message-string err)))
         (when usage
           (setq failed 'usage)))))
    (ob-mesos--ensure-archive)
    (kill-emacs (pcase failed ('nil 0) ('usage 2) (_ 1)))))

(defun ob-mesos--replace-coding-cookies ()
  "Make utf-8 the coding system that this file names for itself, if it does."
  (org-with-wide-buffer
   (pcase-dolist (`(,from ,to ,regexp)
                  `((,(point-min) ,(save-excursion (goto-char (point-min))
                                                   (line-beginning-position 3))
                     "-\\*-.*\\<coding:[ \t]*\\([-_[:alnum:]]+\\)")
                    (,(max (point-min) (- (point-max) 3000)) ,(point-max)
                     "Local Variables:\\(?:.*\n\\)*?.*\\<coding:[ \t]*\\(?1:[-_[:alnum:]]+\\)")))
     (goto-char from)
     (when (re-search-forward regexp to t)
       (replace-match "utf-8" t t nil 1)))))

(defun ob-mesos--utf-8-file-p (file)
  "Return non-nil if FILE has characters in UTF-8 besides ASCII."
  (with-temp-buffer
    (set-buffer-multibyte nil)
    (insert-file-contents-literally file)
    (string-match-p "[^[:ascii:]\x3fff80-\x3fffff]"
                    (decode-coding-string (buffer-string) 'utf-8-unix))))

(defun ob-mesos--save-beside (why)
  "Save this document in a new file beside its own, because of WHY.
Emacs would ask whether to overwrite that."
  (let ((new (make-temp-file (concat buffer-file-name "."))))
    (write-region nil nil new nil 'silent)
    (ob-mesos--progress
     (format "ob-mesos: %s %s; the results are in %s"
             (file-name-nondirectory buffer-file-name) why
             (file-name-nondirectory new))
     t)))

(defun ob-mesos--save-document ()
  "Save this document, in UTF-8 if its coding system cannot encode a result.
Emacs would ask which coding system to use.  Signal a `user-error' if the
coding system is one that Emacs has guessed for a damaged UTF-8 file."
  (let* ((coding (coding-system-base (or buffer-file-coding-system 'undecided)))
         (position (and (not (memq coding '(undecided raw-text)))
                        (unencodable-char-position (point-min) (point-max) coding)))
         (character (and position (char-after position))))
    (when position
      (when (ob-mesos--utf-8-file-p buffer-file-name)
        (user-error "%s cannot be saved: %s cannot encode %c, and the file has bytes \
that are not valid UTF-8" (file-name-nondirectory buffer-file-name) coding character))
      (set-buffer-file-coding-system
       (coding-system-change-text-conversion buffer-file-coding-system 'utf-8))
      (ob-mesos--replace-coding-cookies))
    (cond ((not (verify-visited-file-modtime))
           (ob-mesos--save-beside "has changed since"))
          ((stringp (file-locked-p buffer-file-name))
           (ob-mesos--save-beside "is being edited"))
          (t (save-buffer)))
    (when position
      (ob-mesos--progress
       (format "ob-mesos: %s was saved as utf-8: %s cannot encode %c"
               (file-name-nondirectory buffer-file-name) coding character)
       t))))

(defun ob-mesos--tell-output (id tail _size)
  "Print the last line of TAIL, the last output of the task ID, on stderr."
  (ob-mesos--progress (format "%s | %s" id (car (last (split-string tail "\n" t)))) t))

(defun ob-mesos-batch-run ()
  "Run the blocks of the file named on the command line; for --batch.
The results are written into the file, or printed with --stdout.  With
--follow the tasks' last lines are shown while they run; with
--stale-only the results that are up to date are reused.  The exit status
is 1 if a block has failed.  If a signal ends Emacs, the results that
have arrived are written; the other blocks have the result KILLED."
  ;; Blocks do not need these libraries, which load half of Gnus.
  (setq org-modules nil)
  (ob-mesos--batch
   '("--follow" "--stdout" "--stale-only")
   (lambda (words options)
     (when words
       (ob-mesos--wrong-usage "Only one document can be run: %s is another"
                              (car words)))
     (ob-mesos--allow-edits (member "--stdout" options))
     (when (member "--follow" options)
       (add-hook 'ob-mesos-output-functions #'ob-mesos--tell-output))
     (let* ((print (member "--stdout" options))
            (document (current-buffer))
            (interrupted (lambda () (ob-mesos--keep-results document print)))
            failed)
       ;; After the tasks are killed.
       (add-hook 'kill-emacs-hook interrupted 90)
       (unwind-protect
           (setq failed (ob-mesos--wait-for
                         (ob-mesos--submit-buffer-and-wait
                          (and (member "--stale-only" options) "yes"))))
         (remove-hook 'kill-emacs-hook interrupted))
       (ob-mesos--write-document print)
       (mapc #'ob-mesos--tell-failure failed)
       failed))))

(defun ob-mesos--write-document (print)
  "Save this document, or write it to stdout if PRINT is non-nil."
  (if print (princ (buffer-string)) (ob-mesos--save-document)))

(defun ob-mesos--keep-results (document print)
  "Write DOCUMENT, in which tasks run, if it has results; PRINT is as above.
The result of a task that has not ended is the report that it was killed."
  (let ((tasks (cl-remove-if #'ob-mesos-task-group
                             (hash-table-values ob-mesos--tasks))))
    (when (cl-some #'ob-mesos-task-inserted tasks)
      (with-current-buffer document
        (dolist (task (cl-remove-if #'ob-mesos-task-done tasks))
          (run-hook-with-args 'ob-mesos-status-functions
                              (list :id (ob-mesos-task-id task) :state "KILLED"
                                    :terminal t :message "The run was interrupted")))
        (ob-mesos--write-document print)))))

(defconst ob-mesos--back-ends-of-export
  '(("html" ox-html org-html-export-to-html)
    ("latex" ox-latex org-latex-export-to-latex)
    ("pdf" ox-latex org-latex-export-to-pdf)
    ("md" ox-md org-md-export-to-markdown)
    ("ascii" ox-ascii org-ascii-export-to-ascii)
    ("org" ox-org org-org-export-to-org)
    ("odt" ox-odt org-odt-export-to-odt))
  "Names of back ends, with their libraries and functions.")

(defun ob-mesos-batch-export ()
  "Export the file named on the command line; for --batch.
The second word is the back end.  The exit status is 1 if a block has
failed; the exported text contains its report."
  (ob-mesos--batch
   nil
   (lambda (words _options)
     (let ((back-end (assoc (car words) ob-mesos--back-ends-of-export)))
       (unless (and back-end (null (cdr words)))
         (ob-mesos--wrong-usage "Export to one of %s"
                                (mapconcat #'car ob-mesos--back-ends-of-export ", ")))
       (require (nth 1 back-end))
       (princ (concat (funcall (nth 2 back-end)) "\n"))
       ob-mesos--failed))))

(provide 'ob-mesos-batch)
;;; ob-mesos-batch.el ends here
