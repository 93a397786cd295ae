;;; ob-mesos-org-suite.el --- Org's own tests, on the cluster  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Runs the tests of a checkout of Org with `:mesos yes :wait yes' as default
;; header arguments of the languages that start a process for each block:
;; such a block must do on the cluster what it does here.  Start it with
;; `./ob-mesos test --org DIRECTORY'.

;;; Code:

(require 'ert)
(require 'org)
(require 'ob)
(require 'org-id)
(require 'ob-mesos)

(defconst ob-mesos-org-suite--files
  '("test-ob-shell" "test-ob-python" "test-ob-perl" "test-ob-awk" "test-ob-sed"
    "test-ob-exp" "test-ob-lob" "test-ob" "test-ob-table"
    "test-ob-header-arg-defaults"
    "test-ob-lua" "test-ob-sqlite" "test-ob-ruby" "test-ob-R" "test-ob-octave")
  "The files of Org's testing/lisp that are run.
A file that needs what this machine has not is left out.")

(defconst ob-mesos-org-suite--languages
  '(shell python perl awk sed lua sqlite ruby R octave)
  "The Babel libraries whose blocks run on the cluster.")

(defconst ob-mesos-org-suite--buffers
  '(;; Org's own way to wait for a session's buffer; a block on a cluster
    ;; never needs it.
    ob-session-async-R-simple-session-async-output
    ob-session-async-R-simple-session-async-value
    test-ob-python/async-simple-session-output
    test-ob-shell/session-async-evaluation
    test-ob-shell/session-async-inserts-uuid-before-results-are-returned
    test-ob-shell/session-async-results
    test-ob-shell/session-async-valid-header-arg-values
    ;; A process of this Emacs is looked for.
    test-ob-python/session-restart
    ;; A buffer *Inferior Octave* is looked for.
    ob-octave/graphics-file-session)
  "Tests of the buffer that a session has on this machine.")

(defconst ob-mesos-org-suite--local
  '(;; sed is to edit a file of this machine in place.
    ob-sed-test/cmd-line-header-argument
    ;; The working directory is to be that of the document.
    test-ob-shell/remote-with-stdin-or-cmdline)
  "Tests of what happens to this machine's files.")

(defconst ob-mesos-org-suite--random
  '(;; Lua has the pairs of a table in another order each time.
    test-ob-lua/colnames-yes-header-argument-pp)
  "Tests that fail at random, on a cluster or not.")

(defun ob-mesos-org-suite-batch ()
  "Run the tests of the checkout of Org named on the command line."
  (let* ((org (expand-file-name (pop command-line-args-left)))
         (testing (expand-file-name "testing" org)))
    (add-to-list 'load-path testing)
    ;; Some tests need a package, which EMACSLOADPATH can name.
    (dolist (feature '(ess inf-ruby))
      (require feature nil t))
    (require 'org-test (expand-file-name "org-test.el" testing))
    (org-babel-do-load-languages
     'org-babel-load-languages
     (mapcar (lambda (language) (cons language t))
             (append '(emacs-lisp org) ob-mesos-org-suite--languages)))
    (setq org-confirm-babel-evaluate nil
          ob-mesos-server-arguments
          (list "--state-dir" (make-temp-file "ob-mesos-org" t)))
    (ob-mesos-global-mode)
    (dolist (language (append '(sh bash) ob-mesos-org-suite--languages))
      (let ((defaults (intern (format "org-babel-default-header-args:%s" language))))
        (set defaults (append '((:mesos . "yes") (:wait . "yes"))
                              (and (boundp defaults) (symbol-value defaults))))))
    (dolist (file ob-mesos-org-suite--files)
      (condition-case err
          (load (expand-file-name (concat "lisp/" file ".el") testing))
        (missing-test-dependency
         (message "%s is left out: there is no %s" file (cdr err)))))
    (setq org-id-track-globally t
          org-id-locations-file (make-temp-file "ob-mesos-org"))
    (org-id-update-id-locations
     (directory-files (expand-file-name "examples" testing) t "\\.org\\'"))
    (setq default-directory (expand-file-name "examples/" testing))
    (add-hook 'kill-emacs-hook #'ob-mesos-org-suite--end-sessions -100)
    (ert-run-tests-batch-and-exit
     ;; Tests of files that are left out are unknown to ERT.
     `(not (member ,@(cl-remove-if-not #'ert-test-boundp
                                       (append ob-mesos-org-suite--buffers
                                               ob-mesos-org-suite--local
                                               ob-mesos-org-suite--random)))))))

(defun ob-mesos-org-suite--end-sessions ()
  "End all sessions, which outlive Emacs and the server otherwise."
  (dolist (server (ob-mesos--live-servers))
    (ob-mesos--call
     server :session/kill
     (list :names (vconcat
                   (mapcar (lambda (session) (plist-get session :name))
                           (plist-get (ob-mesos--call server :session/list
                                                      (make-hash-table :size 1))
                                      :sessions)))))))

(provide 'ob-mesos-org-suite)
;;; ob-mesos-org-suite.el ends here
