;;; ob-mesos-same-tests.el --- All combinations, random edits  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Every combination of what `:results' can say is held against what Org
;; inserts for the same block run synchronously.  And a document is edited at
;; random while its blocks run.

;;; Code:

(require 'ob-mesos-tests)
(require 'ob-mesos-mode)
(require 'ob-mesos-run)
(require 'ob-python)

(setq org-babel-python-command "python3")

;;;; Combinations

(defconst ob-mesos-same--collections '("" "table" "vector" "list" "scalar" "verbatim")
  "How a result is read.")
(defconst ob-mesos-same--formats
  '("" "raw" "org" "html" "latex" "code" "pp" "drawer")
  "How it is shown.")
(defconst ob-mesos-same--handlings '("" "replace" "append" "prepend" "silent" "none")
  "Where it goes.")
(defconst ob-mesos-same--others
  '(":wrap note" ":wrap src text" ":hlines yes" ":colnames yes" ":rownames yes"
    ":sep ,")
  "Other header arguments that have a say.")

(defun ob-mesos-same--combinations (types &optional handlings)
  "All values of the header for TYPES of results.
HANDLINGS are where they go, everywhere if nil."
  (let (all)
    (dolist (type types)
      (dolist (collection ob-mesos-same--collections)
        (dolist (format ob-mesos-same--formats)
          (dolist (handling (or handlings ob-mesos-same--handlings))
            (push (string-join (list type collection format handling) " ") all)))
        (dolist (other ob-mesos-same--others)
          (push (concat type " " collection " " other) all))))
    (mapcar (lambda (words)
              (if (string-match-p "\\` *\\(?:\\'\\|:\\)" words) words
                (concat ":results " words)))
            (nreverse all))))

(defun ob-mesos-same--document (lang headers more body)
  "A document with a section for each of HEADERS: a block of LANG with BODY.
MORE is added to each header."
  (concat
   (apply #'concat
          (cl-loop for header in headers for n from 1
                   collect (format "* Section %d\n%s\n\n#+begin_src %s %s %s\n%s\n#+end_src\n\ntext\n"
                                   n (replace-regexp-in-string "  +" " " header)
                                   lang header more body)))
   "* End\n"))

(defun ob-mesos-same--run (lang headers more body)
  "The sections of a document (see `ob-mesos-same--document') run twice.
LANG, HEADERS, MORE and BODY are what it is made of."
  (ob-mesos-tests--with (ob-mesos-same--document lang headers more body)
    (let ((org-babel-min-lines-for-block-output 10)
          (ob-mesos-tests--patience 300))
      (ob-mesos-global-mode)
      (dotimes (_ 2)
        (goto-char (point-min))
        ;; Results can be blocks too, but these have no header.
        (while (re-search-forward (format "^#\\+begin_src %s " lang) nil t)
          (save-excursion
            (beginning-of-line)
            (org-babel-execute-src-block)))
        (ob-mesos-tests--settle))
      (split-string
       (replace-regexp-in-string
        "\\(begin_src \\(?:mesos\\|[a-z]+\\)\\).*" "\\1"
        (replace-regexp-in-string "begin_src mesos" "begin_src sh" (buffer-string)))
       "^\\* Section "))))

(defun ob-mesos-same--hold (headers body ours theirs)
  "Hold what OURS inserts for BODY with each of HEADERS against THEIRS.
Each of these is a language and more for the header."
  ;; Org is slow with long documents.
  (dolist (some (seq-partition headers 50))
    (cl-mapc (lambda (mine other)
               (should (equal mine other)))
             (ob-mesos-same--run (car ours) some (cdr ours) body)
             (ob-mesos-same--run (car theirs) some (cdr theirs) body))))

(ert-deftest ob-mesos-every-combination-of-results-is-as-with-ob-shell ()
  (dolist (body '("echo a 1; echo b 2" "true"))
    (ob-mesos-same--hold (ob-mesos-same--combinations '("output")) body
                         '("mesos" . "") '("sh" . ""))))

(ert-deftest ob-mesos-every-combination-is-as-with-ob-shell-in-its-own-language ()
  (ob-mesos-same--hold (ob-mesos-same--combinations '("value"))
                       "echo a 1; echo b 2" '("sh" . ":mesos yes") '("sh" . "")))

(ert-deftest ob-mesos-every-combination-of-python-is-as-with-ob-python ()
  (let ((headers (ob-mesos-same--combinations '("value") '(""))))
    (unless (zerop (call-process "python3" nil nil nil "-c" "import pprint"))
      (setq headers (cl-remove-if (lambda (header) (string-search " pp" header)) headers)))
    (ob-mesos-same--hold headers "return [['a', 1], ['b', 2]]"
                         '("python" . ":mesos yes") '("python" . ""))))

;;;; Random edits

(defconst ob-mesos-same--results
  "\n?\\(?:^\\)#\\+RESULTS\\(?:\\[.*\\]\\)?:.*\n\\(?::\\(?: .*\\)?\n\\)*"
  "Matches results, with the empty line that Org puts before them.")

(defun ob-mesos-same--rest ()
  "The text of the buffer without results and empty lines."
  (save-restriction
    (widen)
    (replace-regexp-in-string
     "\n+" "\n"
     (replace-regexp-in-string ob-mesos-same--results "\n"
                               (buffer-substring-no-properties (point-min) (point-max))))))

(defun ob-mesos-same--line ()
  "Go to the beginning of a line that is neither of a block nor of results."
  (widen)
  (goto-char (point-min))
  (let (places)
    (while (not (eobp))
      (when (looking-at-p "text")
        (push (point) places))
      (forward-line 1))
    (goto-char (nth (random (length places)) places))))

(defun ob-mesos-same--block-bounds ()
  "Where some block that runs begins and ends, its results left out, or nil.
Of one that has ended they would come to stand below another."
  (goto-char (point-min))
  (let (blocks)
    (while (re-search-forward "^\\(?:#\\+name: .*\n\\)?#\\+begin_src\\(?:.*\n\\)*?#\\+end_src\n" nil t)
      (let ((bounds (cons (match-beginning 0) (match-end 0))))
        (when (looking-at-p "\n#\\+RESULTS.*\n: mesos:")
          (push bounds blocks))))
    (and blocks (nth (random (length blocks)) blocks))))

(defun ob-mesos-same--edit ()
  "Do to the buffer what a user might do; return what it was."
  (undo-boundary)
  (let ((edit (nth (random 8) '(type type move kill narrow undo save revert))))
    (pcase edit
      ('type (ob-mesos-same--line) (insert (format "text %d\n" (random 1000))))
      ((or 'move 'kill)
       (widen)
       (when-let ((bounds (ob-mesos-same--block-bounds)))
         (kill-region (car bounds) (cdr bounds))
         (when (eq edit 'move)
           (ob-mesos-same--line)
           (yank))))
      ('narrow (ob-mesos-same--line) (narrow-to-region (point) (line-end-position 4)))
      ('undo (ignore-errors (undo)))
      ('save (let ((save-silently t)) (save-buffer)))
      ('revert (let ((save-silently t))
                 (save-buffer)
                 (revert-buffer t t t))))
    edit))

(defun ob-mesos-same--own-result-p ()
  "Return non-nil if the block at point has the result of its own program.
If it has a name, its results have the same."
  (save-excursion
    (let ((name (org-element-property :name (org-element-at-point))))
      (and (looking-at "#\\+begin_src .*\n.*echo result-\\([0-9]+\\)$")
           (let ((result (concat "\n: result-" (match-string 1) "\n")))
             (goto-char (org-babel-where-is-src-block-result))
             (looking-at-p (concat "#\\+RESULTS:" (and name (concat " " name))
                                   result)))))))

(ert-deftest ob-mesos-a-result-whose-block-is-gone-goes-to-no-other ()
  (ob-mesos-tests--with
      (concat (ob-mesos-tests--block "" "echo mine") "\n"
              (ob-mesos-tests--block "" "sleep 0.3; echo not yours"))
    (ob-mesos-tests--go "sleep")
    (org-babel-execute-src-block)
    (forward-line -1)
    (kill-region (point) (progn (forward-line 3) (point)))
    (ob-mesos-tests--settle)
    (should-not (string-search "not yours" (buffer-string)))))

(ert-deftest ob-mesos-random-edits-meet-results-at-their-own-blocks ()
  (let ((file (make-temp-file "ob-mesos" nil ".org"))
        (make-backup-files nil) (create-lockfiles nil) (inhibit-message t)
        (kill-ring nil))
    (random "edits")
    (dotimes (_ 3)
      (write-region
       (mapconcat
        (lambda (n)
          (concat (format "text above %d\n\n" n)
                  (when (zerop (% n 2)) (format "#+name: b%d\n" n))
                  (ob-mesos-tests--block
                   "" (format "sleep %s; echo result-%d" (/ (random 20) 10.0) n))))
        (number-sequence 1 30) "\n")
       nil file)
      (with-current-buffer (find-file-noselect file)
        (unwind-protect
            (let* ((done nil) (edits nil) (placed nil)
                   ;; The end would not tell: an undo of the undo of a move
                   ;; takes the block away from its result.
                   (org-babel-after-execute-hook
                    (list (lambda () (push (ob-mesos-same--own-result-p) placed)))))
              (buffer-enable-undo)
              (ob-mesos--submit-buffer-and-wait)
              (while (not done)
                (push (ob-mesos-same--edit) edits)
                (setq done (null (ob-mesos--running)))
                (let ((rest (ob-mesos-same--rest)))
                  (ob-mesos--wait (let ((end (+ (float-time) 0.05)))
                                    (lambda () (> (float-time) end))))
                  (ert-info ((format "after %S" (seq-take edits 5)))
                    (should (equal rest (ob-mesos-same--rest))))))
              (ob-mesos-tests--settle)
              (should placed)
              (should-not (memq nil placed)))
          (set-buffer-modified-p nil)
          (kill-buffer))))))

(provide 'ob-mesos-same-tests)
;;; ob-mesos-same-tests.el ends here
