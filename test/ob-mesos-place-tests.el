;;; ob-mesos-place-tests.el --- Results at their places  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; The scratch buffer must do what Org does in place, and touch nothing else.

;;; Code:

(require 'ob-mesos-tests)

(defconst ob-mesos-place-tests--surroundings
  '("%s"
    "%s\n"
    "%s\n\n\n"
    "%stext right below\n"
    "%s\ntext below\n"
    "* A\n%s* B\n"
    "* A\n%s\n* B\n"
    "#+header: :cpus 0.2\n%s\ntext\n"
    "#+name: n\n%s\ntext\n"
    "#+name: n\n%s\ntext\n\n#+RESULTS: n\n: old\n\nmore\n"
    "%s\n#+RESULTS:\n: old\n: older\n\nmore\n"
    "%s\n#+RESULTS:\n: old\ntext right below\n"
    "%s\n#+RESULTS:\n| a | b |\n\nmore\n"
    "%s\n#+RESULTS:\n#+begin_example\nold\n#+end_example\n\nmore\n"
    "%s\n#+RESULTS:\n\n: not the result\n"
    "%s\n#+RESULTS:\n* B\n"
    "%s\n#+RESULTS[abc]:\n: old\n"
    "%s\n#+caption: My text\n#+attr_html: :width 3\n#+RESULTS:\n: old\n\nmore\n"
    "%s\n#+name: o\n#+begin_src sh\necho not run\n#+end_src\n\n#+RESULTS: o\n: keep\n"
    "#+begin_quote\n%s#+end_quote\ntext\n"
    ":note:\n%s:end:\ntext\n"
    "- item\n\n%s\ntext\n"
    "%s\n#+call: other()\n\n#+name: other\n#+begin_src mesos\necho other\n#+end_src\n"
    "text\n%s\n| table |\n")
  "What can stand around a block.")

(defun ob-mesos-place-tests--document (text)
  "TEXT after its first block has run."
  (ob-mesos-tests--with text
    (ob-mesos-tests--go "#+begin_src mesos")
    (org-babel-execute-src-block)
    (ob-mesos-tests--settle)
    (buffer-string)))

(ert-deftest ob-mesos-the-scratch-buffer-does-as-org-does-in-place ()
  (dolist (header '("" ":results table" ":results drawer" ":wrap note"
                    ":results append"))
    (dolist (surroundings ob-mesos-place-tests--surroundings)
      (let ((text (format surroundings
                          (ob-mesos-tests--block header "echo 1 2; echo 3 4"))))
        (should (equal (list text (ob-mesos-place-tests--document text))
                       (list text
                             (cl-letf (((symbol-function 'ob-mesos--plain)
                                        #'ignore))
                               (ob-mesos-place-tests--document text)))))))))

(ert-deftest ob-mesos-results-above-their-block-are-replaced-there ()
  (dolist (header '("" ":provenance yes"))
    (let (at)
      (ob-mesos-tests--with
          (concat "#+RESULTS: n\n: old\n: older\n\nText.\n\n#+name: n\n"
                  (ob-mesos-tests--block header "seq 9")
                  "\nMore.\n\n#+begin_src sh\necho not run\n#+end_src\n")
        (ob-mesos-tests--go "#+begin_src mesos")
        (org-babel-execute-src-block)
        (let ((org-babel-after-execute-hook
               (list (lambda () (push (buffer-substring (point) (line-end-position)) at)))))
          (ob-mesos-tests--settle))
        (should (equal (list (string-trim-right (concat "#+begin_src mesos " header)))
                       (mapcar #'string-trim-right at)))
        (should (string-match-p
                 (concat "\\`#\\+RESULTS: n\n"
                         (mapconcat (lambda (n) (format ": %d\n" n)) (number-sequence 1 9) "")
                         (if (equal header "") "" ":PROVENANCE:\n\\(?:.+\n\\)*?:END:\n")
                         "\nText\\.\n\n#\\+name: n\n"
                         (regexp-quote (ob-mesos-tests--block header "seq 9"))
                         "\nMore\\.\n\n#\\+begin_src sh\necho not run\n#\\+end_src\n\\'")
                 (buffer-string)))))))

(ert-deftest ob-mesos-keywords-above-results-stay-there ()
  (dolist (case '(("" . ": new\n")
                  (":results append" . ": old\n: new\n")
                  (":results prepend" . ": new\n: old\n")))
    (let ((block (ob-mesos-tests--block (car case) "echo new")))
      (should (equal (concat block "\n#+caption: My text\n#+RESULTS:\n" (cdr case))
                     (ob-mesos-place-tests--document
                      (concat block "\n#+caption: My text\n#+RESULTS:\n: old\n")))))))

(ert-deftest ob-mesos-a-result-that-is-reused-stays-below-its-caption ()
  (ob-mesos-tests--with
      (concat (ob-mesos-tests--block ":cache yes" "echo caption $((6 * 7))")
              "\n#+caption: My text\n#+RESULTS:\n: old\n\nText.\n")
    (dotimes (_ 2)
      (ob-mesos-tests--go "#+begin_src mesos")
      (org-babel-execute-src-block)
      (ob-mesos-tests--settle)
      (should (string-match-p
               "#\\+caption: My text\n#\\+RESULTS.*:\n: caption 42\n\nText\\.\n\\'"
               (buffer-string)))
      (should (= 1 (how-many "^#\\+RESULTS" (point-min) (point-max)))))))

(defun ob-mesos-place-tests--visible ()
  "Return the text of the buffer that is not folded."
  (let (shown)
    (dotimes (n (buffer-size) (apply #'string (nreverse shown)))
      (unless (org-invisible-p (1+ n))
        (push (char-after (1+ n)) shown)))))

(ert-deftest ob-mesos-a-result-in-a-folded-subtree-is-folded ()
  (pcase-dolist (`(,text ,header ,indent)
                 '(("%s" "" "") ("%s\n" "" "") ("%s\nText.\n" "" "")
                   ("%s" ":results drawer" "") ("%s\n" ":results table" "")
                   ("- item\n%s" "" "  ") ("- item\n%s\n  Text.\n" "" "  ")))
    (ob-mesos-tests--with
        (concat "* One\n"
                (format text
                        (replace-regexp-in-string
                         "^\\(.\\)" (concat indent "\\1")
                         (ob-mesos-tests--block header "sleep 0.3; seq 5")))
                "* Two\n")
      (ob-mesos-tests--go "begin_src")
      (ob-mesos-execute)
      (goto-char (point-min))
      (outline-hide-subtree)
      (let ((task (car (ob-mesos--running))))
        (ob-mesos-tests--wait
         (lambda () (equal "RUNNING" (ob-mesos-task-state task))))
        (ob-mesos--show task)
        (should (equal "* One\n* Two\n" (ob-mesos-place-tests--visible))))
      (ob-mesos-tests--settle)
      (should (string-match-p "^ *[:|]? *5" (buffer-string)))
      (should (equal "* One\n* Two\n" (ob-mesos-place-tests--visible))))))

(ert-deftest ob-mesos-point-and-markers-around-a-result-stay-at-their-text ()
  (ob-mesos-tests--with (concat "above\n\n" (ob-mesos-tests--block "" "echo hi")
                                "\n#+call: next()\nbelow\n")
    (let* ((at (lambda (string)
                 (save-excursion
                   (goto-char (point-min))
                   (search-forward string)
                   (copy-marker (match-beginning 0)))))
           (places (mapcar (lambda (string) (cons string (funcall at string)))
                           '("above" "#+begin_src" "echo" "#+call" "below"))))
      (ob-mesos-tests--go "#+begin_src mesos")
      (save-excursion (org-babel-execute-src-block))
      (ob-mesos-tests--go "#+call")
      (ob-mesos-tests--settle)
      (should (looking-at-p "#\\+call"))
      (pcase-dolist (`(,string . ,marker) places)
        (goto-char marker)
        (should (looking-at-p (regexp-quote string)))))))

(ert-deftest ob-mesos-many-calls-get-their-own-results-in-order ()
  (ob-mesos-tests--with
      (concat "#+name: say\n" (ob-mesos-tests--block ":var n=0" "echo \"<$n>\"")
              (mapconcat (lambda (n) (format "\n#+call: say(n=%d)\n" n))
                         (number-sequence 1 40) ""))
    (should (= 41 (length (ob-mesos--submit-buffer-and-wait))))
    (ob-mesos-tests--settle)
    (goto-char (point-min))
    (dotimes (n 40)
      (search-forward (format "#+call: say(n=%d)\n\n#+RESULTS:\n: <%d>\n"
                              (1+ n) (1+ n))))))

(ert-deftest ob-mesos-properties-count-in-their-own-sections ()
  (let ((block (ob-mesos-tests--block ":results output" "echo \"$who\"")))
    (ob-mesos-tests--with
        (concat "#+property: header-args:mesos :var who=\"top\"\n"
                block
                "* A\n:PROPERTIES:\n:header-args:mesos: :var who=\"A\"\n:END:\n"
                block "\n" block
                "** B\n" block
                "* C\n:PROPERTIES:\n:header-args:mesos: :var who=(concat \"C\" \"!\")\n:END:\n"
                block)
      (org-set-regexps-and-options)
      (ob-mesos--submit-buffer-and-wait)
      (ob-mesos-tests--settle)
      (goto-char (point-min))
      (should (equal '("top" "A" "A" "A" "C!")
                     (cl-loop while (re-search-forward "^: \\(.*\\)$" nil t)
                              collect (match-string-no-properties 1)))))))

(ert-deftest ob-mesos-one-bad-block-fails-alone ()
  (ob-mesos-tests--with (concat (ob-mesos-tests--block "" "echo good") "\n"
                                ;; Found out when it is executed.
                                (ob-mesos-tests--block ":files nowhere" "echo bad"))
    (should (equal '("FINISHED" "ERROR")
                   (mapcar (lambda (task)
                             (ob-mesos-tests--settle)
                             (ob-mesos-task-state task))
                           (ob-mesos--submit-buffer-and-wait))))
    (should (string-match-p "^#\\+RESULTS:\n: good$" (buffer-string)))
    (should (string-match-p "^#\\+RESULTS:\n: mesos: .* ERROR: .:files. cannot be"
                            (buffer-string)))))

(ert-deftest ob-mesos-work-that-puts-off-work-needs-one-timer ()
  (let ((ob-mesos--slice 0) (most 0) (left 50))
    (cl-labels ((job ()
                  (setq most (max most (cl-count #'ob-mesos--do-work timer-list
                                                 :key #'timer--function)))
                  (when (< 0 (cl-decf left))
                    (ob-mesos--enqueue #'job))))
      (ob-mesos--enqueue #'job)
      (setq ob-mesos--slice 1)
      (ob-mesos-tests--wait (lambda () (zerop left)))
      (should (<= most 1)))))

;;;; Edits while a block runs

(ert-deftest ob-mesos-a-block-that-is-named-while-it-runs-has-one-result ()
  (ob-mesos-tests--with (concat (ob-mesos-tests--block "" "sleep 0.5; echo done") "\nText.\n")
    (ob-mesos-execute)
    (goto-char (point-min))
    (insert "#+name: late\n")
    (ob-mesos-tests--settle)
    (should (equal (concat "#+name: late\n"
                           (ob-mesos-tests--block "" "sleep 0.5; echo done")
                           "\n#+RESULTS: late\n: done\n\nText.\n")
                   (buffer-string)))))

(ert-deftest ob-mesos-a-block-that-moves-to-another-document-has-its-result ()
  (dolist (reconnect '(nil t))
    (let* ((directory (make-temp-file "ob-mesos" t))
           (go (expand-file-name "go" directory))
           (inhibit-message t) (make-backup-files nil)
           (from (find-file-noselect (expand-file-name "from.org" directory)))
           (to (find-file-noselect (expand-file-name "to.org" directory))))
      (unwind-protect
          (progn
            (with-current-buffer from
              (insert (ob-mesos-tests--block
                       "" (format "until [ -e %s ]; do sleep 0.05; done; echo done" go)))
              (goto-char (point-min))
              (ob-mesos-execute)
              (save-buffer)
              (kill-region (point-min) (point-max))
              (save-buffer))
            (with-current-buffer to
              (yank)
              (save-buffer)
              (unless reconnect
                (write-region "" nil go nil 'silent))
              (when reconnect
                ;; The task ends while no buffer has its placeholder.
                (let ((text (buffer-string)))
                  (erase-buffer)
                  (write-region "" nil go nil 'silent)
                  (ob-mesos-tests--settle)
                  (insert text))
                (should (string-search "mesos:" (buffer-string)))
                (ob-mesos-reconnect))
              (ob-mesos-tests--wait
               (lambda () (string-match-p "^: done$" (buffer-string))))
              (should-not (string-search "mesos:" (buffer-string)))))
        (dolist (buffer (list from to))
          (with-current-buffer buffer
            (set-buffer-modified-p nil))
          (kill-buffer buffer))))))

(ert-deftest ob-mesos-a-document-with-another-name-has-its-results ()
  (dolist (rename (list (lambda (old new) (kill-buffer) (rename-file old new))
                        (lambda (_old new) (write-file new) (kill-buffer))))
    (let* ((directory (make-temp-file "ob-mesos" t))
           (go (expand-file-name "go" directory))
           (inhibit-message t) (make-backup-files nil)
           (old (expand-file-name "old.org" directory))
           (new (expand-file-name "new.org" directory)))
      (with-current-buffer (find-file-noselect old)
        (insert (ob-mesos-tests--block
                 "" (format "until [ -e %s ]; do sleep 0.05; done; echo done" go)))
        (goto-char (point-min))
        (ob-mesos-execute)
        (save-buffer)
        (funcall rename old new))
      (with-current-buffer (find-file-noselect new)
        (unwind-protect
            (progn
              (write-region "" nil go nil 'silent)
              (ob-mesos-tests--wait
               (lambda () (string-match-p "^: done$" (buffer-string)))))
          (set-buffer-modified-p nil)
          (kill-buffer))))))

(ert-deftest ob-mesos-a-block-that-is-indented-while-it-runs-has-its-result ()
  (pcase-dolist (`(,indent ,name) '(("" nil) ("  " nil) ("" t) ("  " t)))
    (ob-mesos-tests--with
        (replace-regexp-in-string
         "^\\(.\\)" (concat indent "\\1")
         (ob-mesos-tests--block "" "until [ -e GO ]; do sleep 0.05; done; echo done"))
      (let ((go (expand-file-name "go" (make-temp-file "ob-mesos" t))))
        (search-forward "GO")
        (replace-match go t t)
        (ob-mesos-execute)
        (indent-rigidly (point-min) (point-max) 3)
        (goto-char (point-min))
        (when name
          (insert "   #+name: late\n"))
        (search-forward "begin_src")
        ;; It is known as the block that runs.
        (should (ob-mesos--task-at
                 (ob-mesos--element-begin (org-element-context))))
        (write-region "" nil go nil 'silent)
        (ob-mesos-tests--settle)
        (should (string-match-p "^ +: done$" (buffer-string)))
        (should (= 1 (how-many "#\\+RESULTS" (point-min) (point-max))))
        (should-not (string-search "mesos:" (buffer-string)))))))

(ert-deftest ob-mesos-text-between-a-block-and-its-placeholder-does-not-mislead ()
  (pcase-dolist
      (`(,header ,indent ,old ,new)
       '(("" "" "" "#+RESULTS:\n: 1\n: 2\n")
         ("" "  " "" "  #+RESULTS:\n  : 1\n  : 2\n")
         (":results table" "" "#+RESULTS:\n: old\n" "#+RESULTS:\n| 1 |\n| 2 |\n")
         (":results append" "" "#+RESULTS:\n: old\n" "#+RESULTS:\n: old\n: 1\n: 2\n")
         (":results append drawer" "" "#+RESULTS:\n:results:\nold\n:end:\n"
          "#+RESULTS:\n:results:\nold\n:end:\n:results:\n1\n2\n:end:\n")
         (":results drawer" "" "" "#+RESULTS:\n:results:\n1\n2\n:end:\n")))
    (let* ((go (expand-file-name "go" (make-temp-file "ob-mesos" t)))
           (indented (lambda (text) (replace-regexp-in-string
                                     "^\\(.\\)" (concat indent "\\1") text)))
           (block (funcall indented
                           (ob-mesos-tests--block
                            header (format "until [ -e %s ]; do sleep 0.05; done; seq 2" go)))))
      (ob-mesos-tests--with (concat "* A\n" block (and (not (equal old "")) "\n") old
                                    "\nText.\n* B\n")
        (ob-mesos-tests--go "begin_src")
        (ob-mesos-execute)
        (search-forward "end_src\n")
        (insert "\nA note.\n")
        (write-region "" nil go nil 'silent)
        (ob-mesos-tests--settle)
        (should (equal (concat "* A\n" block "\nA note.\n\n" new "\nText.\n* B\n")
                       (buffer-string)))))))

(defun ob-mesos-place-tests--after-edit (text edit)
  "Return TEXT after EDIT, a function, was called while its last block ran.
%s in TEXT is a command that lets the block wait until then."
  (let ((go (expand-file-name "go" (make-temp-file "ob-mesos" t))))
    (ob-mesos-tests--with
        (format text (format "until [ -e %s ]; do sleep 0.05; done" go))
      (goto-char (point-max))
      (search-backward "begin_src")
      (ob-mesos-execute)
      (funcall edit)
      (write-region "" nil go nil 'silent)
      (ob-mesos-tests--settle)
      (buffer-string))))

(ert-deftest ob-mesos-a-failure-apart-from-its-block-is-shown ()
  (should (string-match-p
           "A note\\.\n\n#\\+RESULTS:\n: mesos: .* FAILED.*\n\\(?:: .*\n\\)+\\'"
           (ob-mesos-place-tests--after-edit
            (ob-mesos-tests--block "" "%s; exit 3")
            (lambda ()
              (search-forward "end_src\n")
              (insert "\nA note.\n"))))))

(ert-deftest ob-mesos-another-emacs-waits-until-a-block-has-its-placeholder-again ()
  (ob-mesos-tests--with (ob-mesos-tests--block ":results raw" "echo done")
    (ob-mesos-execute)
    (search-forward "end_src\n")
    (insert "\nA note.\n")
    (clrhash ob-mesos--tasks)
    (ob-mesos-reconnect)
    (ob-mesos-tests--settle)
    (should (string-match-p "A note\\.\n\n#\\+RESULTS:\n: mesos:" (buffer-string)))
    (goto-char (point-min))
    (search-forward "\nA note.\n")
    (replace-match "")
    (ob-mesos-reconnect)
    (ob-mesos-tests--settle)
    (should (string-match-p "end_src\n\n#\\+RESULTS:\ndone\n\\'" (buffer-string)))))

(ert-deftest ob-mesos-the-result-of-a-deleted-block-is-not-that-of-another ()
  (should (string-match-p
           "\\`#\\+begin_src mesos ?\necho B\n#\\+end_src\n\n#\\+RESULTS:\n: mesos:"
           (ob-mesos-place-tests--after-edit
            (concat (ob-mesos-tests--block "" "echo B") "\n"
                    (ob-mesos-tests--block "" "%s; echo A"))
            (lambda ()
              (beginning-of-line)
              (delete-region (point) (progn (search-forward "end_src\n\n") (point))))))))

(ert-deftest ob-mesos-a-placeholder-in-an-example-has-no-result ()
  (should (string-match-p
           "#\\+begin_example\n: mesos:.* QUEUED\n#\\+end_example\n\\'"
           (ob-mesos-place-tests--after-edit
            (ob-mesos-tests--block "" "%s; echo A")
            (lambda ()
              (search-forward "#+RESULTS:\n")
              (let ((line (delete-and-extract-region (point) (point-max))))
                (delete-region (match-beginning 0) (point))
                (insert "Text.\n\n#+begin_example\n" line "#+end_example\n")))))))

(ert-deftest ob-mesos-what-hides-a-block-without-folding-it-does-no-harm ()
  (should (string-match-p
           "^  : A$"
           (ob-mesos-place-tests--after-edit
            "  #+begin_src mesos\n  %s; echo A\n  #+end_src\n"
            (lambda ()
              (overlay-put (make-overlay (point-min) (point-max)) 'invisible 'hs))))))

(ert-deftest ob-mesos-a-block-that-is-split-while-it-runs-gets-its-result ()
  (ob-mesos-tests--with-file ""
    (let ((go (expand-file-name "go" directory)))
      (insert "* A\n"
              (ob-mesos-tests--block
               "" (format "until [ -e %s ]; do sleep 0.05; done\necho one\necho two" go))
              "\ntext\n")
      (ob-mesos-tests--go "#+begin_src")
      (ob-mesos-execute)
      (ob-mesos-tests--go "echo two")
      (org-babel-demarcate-block)
      (write-region "" nil go nil 'silent)
      (ob-mesos-tests--settle)
      (should (string-match-p "^: one\n: two$" (buffer-string)))
      (should-not (string-search "mesos:" (buffer-string))))))

(provide 'ob-mesos-place-tests)
;;; ob-mesos-place-tests.el ends here
