;;; ob-mesos-mode.el --- Any language on the cluster  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; `ob-mesos-global-mode' enables the features that affect other packages:
;; C-c C-c on blocks that run on the cluster, `:mesos yes' for blocks of
;; other languages, completion of header arguments, the insertion of results
;; when a document is visited, and the mode line.

;;; Code:

(require 'cl-lib)
(require 'org)
(require 'org-src)
(require 'ob-mesos-execute)
(require 'ob-mesos-resume)

;;;; Blocks of other languages

(defun ob-mesos--wrapper (lang)
  "Return the advice for the function that is to execute blocks of LANG."
  (lambda (function body params)
    (cond
     ((not (ob-mesos--on-cluster-p params))
      (funcall function body params))
     ((bound-and-true-p ob-mesos-global-mode)
      (ob-mesos--execute-block lang body params))
     (t (user-error "`:mesos yes' needs `ob-mesos-global-mode'; \
the block is not run on this machine instead")))))

(defun ob-mesos--other-languages ()
  "Return the names of `ob-mesos-languages' and of all that Babel knows here."
  (let ((names (mapcar #'car ob-mesos-languages)))
    (mapatoms
     (lambda (symbol)
       (let ((name (symbol-name symbol)))
         (when (and (string-match "\\`org-babel-execute:\\(.+\\)" name)
                    (fboundp symbol))
           (cl-pushnew (match-string 1 name) names :test #'equal)))))
    (delete "mesos" names)))

(defun ob-mesos--update-languages (on)
  "Let `:mesos yes' and our header arguments count in all other languages.
ON is whether the mode is on."
  (let ((languages (ob-mesos--other-languages)))
    (ob-mesos--declare-arguments languages on)
    (when on
      (mapc #'ob-mesos--wrap-language languages))))

(defun ob-mesos--wrap-loaded (file)
  "Make `:mesos yes' count with the language of FILE, which has been loaded."
  (when (string-match-p "/ob-[^/]+\\'" file)
    (ob-mesos--update-languages t)))

(defun ob-mesos--wrap-language (lang)
  "Make `:mesos yes' count with blocks of LANG, also if it is loaded later.
The function of LANG is advised, once; a block that does not say
`:mesos yes' is passed on to it.  The advice stays when the mode is
turned off, for then such a block is refused."
  (let ((symbol (intern (concat "org-babel-execute:" lang))))
    (unless (advice-member-p 'ob-mesos symbol)
      (advice-add symbol :around (ob-mesos--wrapper lang) '((name . ob-mesos))))))

;;;; Header arguments of other languages

(defconst ob-mesos--header-argument-values
  (mapcar (lambda (argument) (cons (car argument) :any))
          ob-mesos--header-arguments)
  "Our header arguments as `org-lint' and completion want them.")

(defun ob-mesos--declare-arguments (languages on)
  "Let Org know our header arguments in LANGUAGES if ON, or not any more."
  (dolist (lang languages)
    (let* ((variable (intern (concat "org-babel-header-args:" lang)))
           (others (cl-set-difference (and (boundp variable) (symbol-value variable))
                                      ob-mesos--header-argument-values)))
      (set variable
           (if on
               (append others
                       (cl-remove-if (lambda (argument) (assq (car argument) others))
                                     ob-mesos--header-argument-values))
             others)))))

;;;; Fontification

(defun ob-mesos--fontify-bodies (limit)
  "Fontify the bodies of mesos blocks up to LIMIT in the mode of their `:lang'.
Org does so in the mode of mesos, which is that of the shell."
  (let ((case-fold-search t))
    (while (re-search-forward
            "^[ \t]*#\\+begin_src[ \t]+mesos\\>.*[ \t]:lang[ \t]+\\([^ \t\n]+\\).*\n"
            limit t)
      (let ((beg (point))
            (lang (match-string-no-properties 1)))
        (when (and org-src-fontify-natively
                   (re-search-forward "^[ \t]*#\\+end_src" nil t))
          (org-src-font-lock-fontify-block (ob-mesos--mode-language lang)
                                           beg (match-beginning 0))))))
  nil)

(defun ob-mesos--mode-language (lang)
  "Return the language whose mode Org shall use for LANG of `:lang'."
  (let ((library (nth 2 (assoc lang ob-mesos-languages))))
    (if (memq library '(nil shell)) lang (symbol-name library))))

(defun ob-mesos--add-keywords ()
  "Let Org fontify bodies of mesos blocks; for `org-font-lock-set-keywords-hook'."
  (setq org-font-lock-extra-keywords
        (append org-font-lock-extra-keywords '((ob-mesos--fontify-bodies)))))

;;;; C-c C-c

(defun ob-mesos--cluster-element ()
  "Return the block or call at point if it is for the cluster, or nil."
  (let ((element (org-element-context)))
    (when (and (ob-mesos--executable-p element)
               (not (org-match-line "[ \t]*$")))
      (and (ob-mesos--cluster-info-p
            (ob-mesos--node-info
             (ob-mesos--node-at (ob-mesos--element-begin element)) t))
           element))))

(defun ob-mesos--wait-if-asked (task)
  "Wait for TASK if its block has `:wait yes'."
  (when (and task (equal "yes" (cdr (assq :wait (ob-mesos-task-params task)))))
    (ob-mesos--wait (lambda () (ob-mesos-task-done task)))))

(defun ob-mesos-execute (&optional force)
  "Run the block or call at point, and what it depends on, on the cluster.
Return immediately; the result is inserted when the task has ended.  If
the block is already running, ask what to do.  With a prefix argument
FORCE, run the block even if there is a result to reuse."
  (interactive "P")
  (let ((element (ob-mesos--element-for-command)))
    (when-let ((again (ob-mesos--confirm-again element)))
      (when (ob-mesos-task-p again)
        ;; Results can have come in while the user was asked.
        (setq element (ob-mesos--element-for-command)))
      (let ((task (ob-mesos--execute-element element (and force "no"))))
        (when (ob-mesos-task-p again)
          ;; TASK has the placeholder now.
          (setf (ob-mesos-task-block-marker again) nil))
        (ob-mesos--wait-if-asked task)))))

(defun ob-mesos--element-for-command ()
  "Return the block or call at point that is for the cluster."
  (or (ob-mesos--cluster-element)
      (user-error "There is no block here that runs on a cluster")))

(defun ob-mesos--confirm-again (element)
  "Return non-nil if ELEMENT is to run.
If it is running the user is asked, and can kill its task, which is
returned then, or look at its output."
  (let ((task (ob-mesos--task-at (ob-mesos--element-begin element))))
    (or (null task)
        noninteractive
        (pcase (car (read-multiple-choice
                     (format "%s runs already" (ob-mesos-task-id task))
                     '((?k "kill and run again") (?f "follow its output")
                       (?c "cancel"))))
          (?k (ob-mesos--kill-task task) task)
          (?f (run-hook-with-args 'ob-mesos-follow-functions task) nil)))))

(defvar ob-mesos-follow-functions nil
  "Functions called with a task whose output the user wants to follow.")

(defun ob-mesos--kill-task (task)
  "Kill TASK, or what it consists of."
  (when (ob-mesos-task-members task)
    (ob-mesos--cancel-members task))
  (let ((ids (ob-mesos--ids task)))
    (if ids
        (ob-mesos--request-kill (ob-mesos-task-server task) ids)
      (ob-mesos--refused task "Killed before it was launched" "KILLED"))))

(defun ob-mesos--ctrl-c-ctrl-c ()
  "Run what is at point if it is for the cluster.
Return non-nil then.  For `org-ctrl-c-ctrl-c-hook'."
  (when (and (not org-babel-no-eval-on-ctrl-c-ctrl-c)
             (ob-mesos--cluster-element))
    (ob-mesos-execute current-prefix-arg)
    t))

;;;; The mode

(defun ob-mesos--complete-here ()
  "Let header arguments be completed in this buffer."
  (add-hook 'completion-at-point-functions #'ob-mesos-completion-at-point nil t))

(defvar ob-mesos-mode-line "" "How many tasks run, for the mode line.")
(put 'ob-mesos-mode-line 'risky-local-variable t)

(defconst ob-mesos--mode-hooks
  '((org-ctrl-c-ctrl-c-hook . ob-mesos--ctrl-c-ctrl-c)
    (org-mode-hook . ob-mesos--complete-here)
    (org-mode-hook . ob-mesos--reconnect-if-live)
    (org-font-lock-set-keywords-hook . ob-mesos--add-keywords)
    (before-revert-hook . ob-mesos--show-as-in-file)
    (after-revert-hook . ob-mesos--reconnect-if-live)
    ;; Results wait while a buffer is read-only.
    (read-only-mode-hook . ob-mesos--reconnect-if-live)
    (view-mode-hook . ob-mesos--reconnect-if-live)
    (after-load-functions . ob-mesos--wrap-loaded))
  "The hooks of others and what the mode puts on them.")

;;;###autoload
(define-minor-mode ob-mesos-global-mode
  "Run Org blocks on a cluster.
\\<org-mode-map>\\[org-ctrl-c-ctrl-c] on a mesos block, or on a block of another
language with `:mesos yes', submits the block to the cluster and returns
immediately.  Blocks of other languages can have all header arguments of
mesos blocks."
  :global t
  :group 'ob-mesos
  (require 'ob-mesos)
  (pcase-dolist (`(,hook . ,function) ob-mesos--mode-hooks)
    (if ob-mesos-global-mode
        (add-hook hook function)
      (remove-hook hook function)))
  (if ob-mesos-global-mode
      (advice-add 'org-babel-remove-result :before
                  #'ob-mesos--remove-provenance-with-result)
    (advice-remove 'org-babel-remove-result
                   #'ob-mesos--remove-provenance-with-result))
  (ob-mesos--update-languages ob-mesos-global-mode)
  (if (not ob-mesos-global-mode)
      (setq global-mode-string (delq 'ob-mesos-mode-line global-mode-string))
    (add-to-list 'org-src-lang-modes '("mesos" . sh))
    (unless (memq 'ob-mesos-mode-line global-mode-string)
      (setq global-mode-string
            (append (or global-mode-string '("")) '(ob-mesos-mode-line)))))
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when (derived-mode-p 'org-mode)
        (if ob-mesos-global-mode
            (ob-mesos--complete-here)
          (remove-hook 'completion-at-point-functions
                       #'ob-mesos-completion-at-point t))))))

(define-obsolete-function-alias 'ob-mesos-mode #'ob-mesos-global-mode "0.2.0")

;;;; Editing

(defun org-babel-edit-prep:mesos (info)
  "Edit the block with INFO in the mode of its `:lang'."
  (let* ((lang (format "%s" (or (cdr (assq :lang (nth 2 info))) "sh")))
         (mode (org-src-get-lang-mode (ob-mesos--mode-language lang)))
         (label org-coderef-label-format))
    (unless (or (eq mode major-mode) (not (functionp mode)))
      (funcall mode)
      (org-src-mode)
      (setq-local org-coderef-label-format label))))

(provide 'ob-mesos-mode)
;;; ob-mesos-mode.el ends here
