// SPDX-License-Identifier: MIT
// mlp_learn_carry - bytes of a request to the streams of a core that learns, and its answer to bytes
//
//     features a byte each, a label before them; words of two bytes, the higher one first
//
// Golden model   boards/lessons.py: request, reply
// Stream         body: by address; payload: written by address, a class and probabilities, or words
// Latency        2 cycles a byte of the body, 2 a word of the payload

`default_nettype none

module mlp_learn_carry #(
    parameter N       = 4,              // features
    parameter CHUNK   = 32,             // words of a load or save at a time, 2, 4, 8 ...
    parameter STATE   = 68,             // words of a whole load or save
    parameter BODY    = 64,             // bytes of a request's longest body
    parameter PAYLOAD = 64              // bytes of the longest payload
) (
    input  wire        clk,

    input  wire        in_valid,
    input  wire [15:0] in_number,
    input  wire        in_learns,
    input  wire        in_last_chunk,
    output reg  [$clog2(BODY+8)-1:0] body_addr,
    input  wire [7:0]  body_data,       // a cycle later

    input  wire        idle,
    input  wire        feeds,
    output wire        fed,
    input  wire        takes,
    output wire        taken,
    input  wire        fills,
    output wire        filled,
    input  wire        gives,
    output wire        given,

    output wire        x_valid,         // body_data is a feature
    input  wire        x_ready,
    output wire        x_last,
    output wire [7:0]  x_label,
    input  wire        p_valid,
    output wire        p_ready,
    input  wire        p_last,
    input  wire [7:0]  p_data,
    input  wire [7:0]  p_class,
    output wire        load_valid,
    input  wire        load_ready,
    output wire        load_last,
    output wire [15:0] load_data,
    input  wire        word_valid,
    output wire        word_ready,
    input  wire        word_last,
    input  wire [15:0] word_data,

    output wire        payload_write,
    output wire [$clog2(PAYLOAD+1)-1:0] payload_addr,
    output wire [7:0]  payload_data
);

    localparam ADDR_W    = $clog2(BODY + 8);
    localparam PAYLOAD_W = $clog2(PAYLOAD + 1);
    localparam CHUNK_W   = $clog2(CHUNK);

    localparam integer FINAL = N - 1, WHOLE = CHUNK - 1, REST = (STATE - 1) % CHUNK;

    localparam [ADDR_W-1:0] HEADER = 4;

    reg [15:0] count;                   // features, probabilities or words so far
    reg        half;                    // a word's higher byte is through, or the class
    reg        fresh;                   // body_data is of body_addr
    reg [7:0]  early;                   // the byte before: the label, or a word's higher one

    wire is_asked = {{CHUNK_W{1'b0}}, count[15:CHUNK_W]} == in_number;
    wire is_full  = count == (in_last_chunk ? REST[15:0] : WHOLE[15:0]);
    wire x_moves  = x_valid && x_ready;
    wire p_moves  = p_valid && p_ready;
    wire higher   = fills && fresh && !half;
    wire loads    = load_valid && load_ready;
    wire saves    = word_valid && word_ready;
    wire label    = idle && in_valid && in_learns;

    assign x_valid    = feeds && fresh;
    assign x_last     = count == FINAL[15:0];
    assign x_label    = early;
    assign p_ready    = takes && half;
    assign load_valid = fills && fresh && half;
    assign load_last  = is_full && in_last_chunk;
    assign load_data  = {early, body_data};
    assign word_ready = gives && (half || !is_asked);

    assign fed    = x_moves && x_last;
    assign taken  = p_moves && p_last;
    assign filled = loads && is_full;
    assign given  = saves && word_last;

    assign payload_write = (takes && p_valid) || (gives && word_valid && is_asked);
    assign payload_addr  = gives ? {{(PAYLOAD_W-CHUNK_W-1){1'b0}}, count[CHUNK_W-1:0], half}
                         : half ? count[PAYLOAD_W-1:0] + 1'b1 : {PAYLOAD_W{1'b0}};
    assign payload_data  = gives ? (half ? word_data[7:0] : word_data[15:8])
                         : half ? p_data : p_class;

    always @(posedge clk) begin
        if (idle || fed)
            count <= 16'd0;
        else if (x_moves || p_moves || loads || saves)
            count <= count + 16'd1;
    end

    always @(posedge clk) begin
        if (idle || loads || saves)
            half <= 1'b0;
        else if (higher || payload_write)
            half <= 1'b1;
    end

    always @(posedge clk) begin
        if (idle && !label)
            body_addr <= HEADER;
        else if (label || x_moves || higher || loads)
            body_addr <= body_addr + 1'b1;
    end

    always @(posedge clk)
        fresh <= !(label || x_moves || higher || loads);

    always @(posedge clk) begin
        if (label || higher)
            early <= body_data;
    end

    initial begin
        if (CHUNK < 2 || CHUNK != 1 << CHUNK_W || PAYLOAD < 2 * CHUNK) begin
            $display("%m: CHUNK=%0d PAYLOAD=%0d: need a power of two, PAYLOAD at least twice that",
                     CHUNK, PAYLOAD);
            $finish;
        end
    end

endmodule

`default_nettype wire
