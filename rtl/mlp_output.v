// SPDX-License-Identifier: MIT
// mlp_output - what becomes of the logits: softmax, the logits themselves, their winner, or sigmoids
//
//     y, class = output(logits)
//
// Golden model   model/reference.py: trace; model/stages: the stage that OUTPUT names
// Stream         in and out: a vector a beat
// Throughput     N/LANES cycles per vector, back to back; 1 for logits without ARGMAX
// Latency        0 cycles for logits without ARGMAX, else that of the module in charge
//
// Wiring only. The class of one sigmoid is its byte's top bit, that of several is 0.

`default_nettype none

module mlp_output #(
    parameter OUTPUT     = "softmax",   // "softmax" or "logits" or "argmax" or "sigmoid"
    parameter N          = 3,           // logits, 1 .. 4096
    parameter LANES      = 1,           // logits per cycle, divides N
    parameter X_W        = 8,           // signed logit width, 2 .. 16
    parameter FRAC       = 4,           // softmax, sigmoid: fraction bits of a logit
    parameter SCORE      = "taylor2",   // softmax: "taylor2" or "exp"
    parameter DIVIDER    = "reciprocal",    // softmax: "reciprocal" or "restoring"
    parameter SCORE_W    = 15,          // softmax: unsigned score width
    parameter TOTAL_W    = 17,          // softmax: unsigned width of the scores' sum
    parameter ARGMAX     = 0,           // logits: 1: the class is that of the largest, else it is 0; 0 .. 1
    parameter Y_W        = 8,           // bits of a value that leaves
    parameter MEM_DIR    = ""           // folder of the ROM images
) (
    input  wire                             clk,
    input  wire                             rst,        // synchronous, active high

    input  wire                             in_valid,
    output wire                             in_ready,
    input  wire [N*X_W-1:0]                 in_x,

    output wire                             out_valid,
    input  wire                             out_ready,
    output wire [({64'd0, OUTPUT} == "argmax" ? 1 : N)*Y_W-1:0] out_y,
    output wire [(N > 1 ? $clog2(N) : 1)-1:0] out_class
);

    // A string is as wide as its characters: names are compared with zeros in front.
    localparam NAME    = {64'd0, OUTPUT};
    localparam CLASS_W = N > 1 ? $clog2(N) : 1;

    generate
        if (NAME == "softmax") begin : g_softmax
            mlp_softmax #(
                .N(N), .LANES(LANES), .X_W(X_W), .FRAC(FRAC), .SCORE(SCORE), .DIVIDER(DIVIDER),
                .SCORE_W(SCORE_W), .TOTAL_W(TOTAL_W),
                .EXP(MEM_DIR == "" ? "" : {MEM_DIR, "/exp.mem"}),
                .RECIPROCAL(MEM_DIR == "" ? "" : {MEM_DIR, "/reciprocal.mem"})
            ) u_softmax (
                .clk(clk), .rst(rst),
                .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x),
                .out_valid(out_valid), .out_ready(out_ready), .out_p(out_y), .out_class(out_class)
            );
        end else if (NAME == "sigmoid") begin : g_sigmoid
            mlp_sigmoid #(
                .N(N), .LANES(LANES), .X_W(X_W), .FRAC(FRAC),
                .FILE(MEM_DIR == "" ? "" : {MEM_DIR, "/sigmoid.mem"})
            ) u_sigmoid (
                .clk(clk), .rst(rst),
                .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x),
                .out_valid(out_valid), .out_ready(out_ready), .out_p(out_y)
            );

            if (N == 1) begin : g_single
                assign out_class = out_y[7];
            end else begin : g_several
                assign out_class = {CLASS_W{1'b0}};
            end
        end else if (NAME == "argmax" || ARGMAX != 0) begin : g_argmax
            wire [N*X_W-1:0]   x;
            wire [CLASS_W-1:0] class_of_x;

            mlp_argmax #(.N(N), .LANES(LANES), .X_W(X_W)) u_argmax (
                .clk(clk), .rst(rst),
                .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x),
                .out_valid(out_valid), .out_ready(out_ready), .out_x(x), .out_class(class_of_x)
            );

            assign out_class = class_of_x;

            if (NAME == "argmax") begin : g_class
                wire unused = &{1'b0, x};

                assign out_y = {{(Y_W-CLASS_W){1'b0}}, class_of_x};
            end else begin : g_logits
                mlp_resize #(.LANES(N), .X_W(X_W), .Y_W(Y_W)) u_resize (.in_x(x), .out_y(out_y));
            end
        end else begin : g_wires
            wire unused = &{1'b0, clk, rst};

            assign out_valid = in_valid;
            assign in_ready  = out_ready;
            assign out_class = {CLASS_W{1'b0}};

            mlp_resize #(.LANES(N), .X_W(X_W), .Y_W(Y_W)) u_resize (.in_x(in_x), .out_y(out_y));
        end
    endgenerate

    initial begin
        if (NAME != "softmax" && NAME != "logits" && NAME != "argmax" && NAME != "sigmoid") begin
            $display("%m: OUTPUT is %0s: need softmax, logits, argmax or sigmoid", OUTPUT);
            $finish;
        end
    end

endmodule

`default_nettype wire
